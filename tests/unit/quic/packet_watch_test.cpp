// SPDX-License-Identifier: MIT
#include "quic/packet_watch.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "base/bytes.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;

constexpr Duration kTimeout = milliseconds(100);
constexpr Time kSent{milliseconds(5)};

struct Watch : PacketWatch {
  void send(std::uint64_t number) { begin({.number = number, .bytes = 1452, .sent_at = kSent}); }
  /// The peer acknowledges that one packet. True: it is the watched one.
  bool acknowledge(std::uint32_t number) {
    std::array<std::byte, 8> frame{std::byte{0x02}};
    write_be<std::uint32_t>(std::span(frame).subspan(1), 0x8000'0000U | number);
    return ack_received(AckFrame::find(frame).value());
  }
  [[nodiscard]] bool overdue_in_time() const { return overdue(kSent + kTimeout, kTimeout); }
};

TEST(PacketWatch, begins_in_silence_which_any_acknowledgement_ends) {
  for (const std::uint32_t acknowledged : {1U, 2U}) {
    Watch watch;
    EXPECT_FALSE(watch.idle() || watch.watching());
    watch.send(1);
    EXPECT_TRUE(watch.watching());
    EXPECT_FALSE(watch.following() || watch.overdue_in_time());
    EXPECT_FALSE(watch.acknowledge(0)) << "of an earlier one";
    EXPECT_FALSE(watch.idle());
    EXPECT_EQ(watch.acknowledge(acknowledged), acknowledged == 1);
    EXPECT_TRUE(watch.idle());
  }
}

struct Answered : Watch {
  Answered() {
    send(1);
    (void)acknowledge(1);
    send(7);
  }
};

TEST(PacketWatch, follows_a_packet_until_it_arrives) {
  Answered watch;
  EXPECT_TRUE(watch.following());
  EXPECT_FALSE(watch.acknowledge(6));
  EXPECT_FALSE(watch.overtaken());
  EXPECT_FALSE(watch.acknowledge(8));
  EXPECT_TRUE(watch.following() && watch.overtaken());
  EXPECT_TRUE(watch.acknowledge(7));
  EXPECT_TRUE(watch.idle());
  EXPECT_FALSE(watch.acknowledge(7)) << "no packet is watched";
  EXPECT_EQ(watch.packet().number, 7U);
}

TEST(PacketWatch, a_packet_is_overdue_after_the_timeout) {
  Answered watch;
  EXPECT_FALSE(watch.overdue(kSent + kTimeout - Duration(1), kTimeout));
  EXPECT_TRUE(watch.overdue_in_time());
  (void)watch.acknowledge(8);
  EXPECT_TRUE(watch.overdue_in_time());
  watch.end();
  EXPECT_FALSE(watch.overdue_in_time());
}

TEST(PacketWatch, is_idle_after_a_packet_whose_fate_matters_no_longer) {
  for (const bool overtaken : {false, true}) {
    Answered watch;
    if (overtaken) (void)watch.acknowledge(8);
    watch.end();
    EXPECT_TRUE(watch.idle());
  }
}

TEST(PacketWatch, a_silence_lasts_until_the_packet_or_a_later_one_arrives) {
  for (const std::uint32_t acknowledged : {7U, 8U}) {
    Answered watch;
    watch.silence();
    EXPECT_TRUE(watch.watching());
    EXPECT_FALSE(watch.following() || watch.overdue_in_time());
    EXPECT_EQ(watch.acknowledge(acknowledged), acknowledged == 7);
    EXPECT_TRUE(watch.idle());
  }
}

TEST(PacketWatch, a_silence_goes_on_when_the_packet_matters_no_longer) {
  Answered watch;
  watch.silence();
  watch.end();
  EXPECT_FALSE(watch.idle() || watch.watching());
  watch.end();
  watch.send(9);
  EXPECT_FALSE(watch.following());
}

TEST(PacketWatchDeathTest, one_packet_is_watched_at_a_time) {
  Answered watch;
  EXPECT_DEATH(watch.send(8), "check failed");
}

TEST(PacketWatchDeathTest, a_silence_begins_with_a_packet_that_nothing_has_overtaken) {
  Answered watch;
  (void)watch.acknowledge(8);
  EXPECT_DEATH(watch.silence(), "check failed");
  watch.end();
  EXPECT_DEATH(watch.silence(), "check failed");
}

}  // namespace
}  // namespace qmux::quic

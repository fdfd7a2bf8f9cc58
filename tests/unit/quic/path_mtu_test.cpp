// SPDX-License-Identifier: MIT
#include "quic/path_mtu.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "quic/limits.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPto = milliseconds(100);

/// Sends packets of the size that is wanted, one after another, over a path of some MTU, and counts what it costs.
struct Sender {
  explicit Sender(std::size_t takes) : path_takes(takes) { exchange(1); }

  /// One round trip: a large packet, then small ones that overtake it if it does not arrive.
  void exchange(int times) {
    for (int i = 0; i < times; ++i) {
      const std::size_t bytes = mtu.next_packet_bytes(kPathBytes, now);
      send(bytes);
      if (bytes > path_takes) ++lost;
      acknowledge(bytes <= path_takes ? number : number + 1);
      number += 1;
      now += kPto;
      mtu.check(now, kPto);
    }
  }
  void send(std::size_t bytes) { mtu.packet_sent(++number, bytes, kPathBytes, now); }
  void acknowledge(std::uint64_t packet_number) {
    std::array<std::byte, 8> frame{std::byte{0x02}};
    write_be<std::uint32_t>(std::span(frame).subspan(1), 0x8000'0000U | static_cast<std::uint32_t>(packet_number));
    if (const auto ack = AckFrame::find(frame)) mtu.ack_received(*ack);
  }
  [[nodiscard]] std::size_t packet_bytes() const { return mtu.packet_bytes(kPathBytes); }

  static constexpr std::size_t kPathBytes = 1452;

  PathMtu mtu;
  std::size_t path_takes;
  std::uint64_t number = 0;
  Time now{};
  int lost = 0;
};

TEST(PathMtu, loses_few_packets_to_find_what_a_narrower_path_takes) {
  Sender sender(1452);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
  sender.path_takes = 1372;
  sender.exchange(20);
  EXPECT_EQ(sender.packet_bytes(), 1342U);
  EXPECT_EQ(sender.lost, limits::kPathMtuLossesMax + 2 * limits::kPathMtuAttemptsMax);
}

TEST(PathMtu, tries_what_failed_ever_more_rarely) {
  Sender sender(1452);
  sender.path_takes = 1200;
  sender.exchange(20);
  const auto attempts_within = [&](Duration duration) {
    const int before = sender.lost;
    for (const Time end = sender.now + duration; sender.now < end;) sender.exchange(1);
    return sender.lost - before;
  };
  const int attempts = 2 * limits::kPathMtuAttemptsMax;  // at the largest, and at the next
  EXPECT_EQ(attempts_within(seconds(5)), attempts);
  EXPECT_EQ(attempts_within(seconds(10)), attempts);
  EXPECT_EQ(attempts_within(seconds(20)), attempts);
  attempts_within(std::chrono::hours(1));
  EXPECT_LE(attempts_within(std::chrono::hours(1)), 7 * attempts);
  sender.path_takes = 1452;
  attempts_within(limits::kPathMtuRestTimeMax);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
  EXPECT_FALSE(sender.mtu.limited(Sender::kPathBytes));
}

TEST(PathMtu, takes_silence_for_a_reason_and_a_late_answer_back) {
  Sender sender(1452);
  sender.send(1452);
  const std::uint64_t late = sender.number;
  sender.mtu.check(sender.now + kPto - milliseconds(1), kPto);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
  sender.mtu.check(sender.now + kPto, kPto);
  EXPECT_EQ(sender.packet_bytes(), 1200U);
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now + kPto), 1200U) << "nothing arrives";
  sender.acknowledge(late);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
}

TEST(PathMtu, tries_the_largest_as_soon_as_anything_arrives) {
  Sender sender(1452);
  sender.send(1452);
  sender.now += kPto;
  sender.mtu.check(sender.now, kPto);
  sender.send(1200);
  sender.acknowledge(sender.number);
  EXPECT_EQ(sender.packet_bytes(), 1200U);
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now), 1452U);
  sender.exchange(1);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
}

TEST(PathMtu, one_attempt_is_made_at_a_time) {
  Sender sender(1452);
  sender.mtu.packet_refused(1452, Sender::kPathBytes, sender.now);
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now), 1232U);
  sender.send(1100);  // did not need the room
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now), 1232U);
  sender.send(1232);
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now), 1200U);
}

TEST(PathMtu, losses_by_chance_do_not_add_up) {
  Sender sender(1452);
  for (int i = 0; i < 100; ++i) {
    sender.path_takes = i % limits::kPathMtuLossesMax == 0 ? 1452 : 1200;
    sender.exchange(1);
    ASSERT_EQ(sender.packet_bytes(), 1452U);
  }
}

TEST(PathMtu, small_packets_that_arrive_do_not_hide_large_ones_that_do_not) {
  Sender sender(1452);
  for (int i = 0; i < limits::kPathMtuLossesMax; ++i) {
    sender.send(1300);
    sender.acknowledge(sender.number);
    sender.path_takes = 1372;
    sender.exchange(1);
  }
  EXPECT_EQ(sender.packet_bytes(), 1200U);
}

TEST(PathMtu, a_probe_of_ngtcp2_or_a_small_packet_refused_means_nothing) {
  Sender sender(1452);
  sender.mtu.packet_refused(4052, Sender::kPathBytes, sender.now);
  sender.mtu.packet_refused(1200, Sender::kPathBytes, sender.now);
  EXPECT_EQ(sender.packet_bytes(), 1452U);
  sender.mtu.packet_refused(1452, Sender::kPathBytes, sender.now);
  EXPECT_EQ(sender.packet_bytes(), 1200U);
  sender.send(1232);
  sender.mtu.packet_refused(1452, Sender::kPathBytes, sender.now);  // made before the limit
  sender.acknowledge(sender.number);
  EXPECT_EQ(sender.packet_bytes(), 1232U);
  sender.send(1342);
  sender.mtu.packet_refused(1342, Sender::kPathBytes, sender.now);
  EXPECT_EQ(sender.mtu.next_packet_bytes(Sender::kPathBytes, sender.now), 1232U);
}

TEST(PathMtu, a_peer_whose_acknowledgements_are_not_found_costs_no_size) {
  PathMtu mtu;
  for (int i = 0; i < 10; ++i) {
    mtu.packet_sent(static_cast<std::uint64_t>(i), 1452, 1452, Time(seconds(i)));
    mtu.check(Time(seconds(i)) + 5 * kPto, kPto);
  }
  EXPECT_FALSE(mtu.limited(1452));
}

}  // namespace
}  // namespace qmux::quic

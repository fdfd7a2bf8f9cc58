// SPDX-License-Identifier: MIT
#include "quic/datagram_share.h"

#include <gtest/gtest.h>

#include "quic/limits.h"

namespace qmux::quic {
namespace {

class Flows final : public DatagramHost {
 public:
  explicit Flows(std::size_t count) : count_(count) {}
  void datagram_received(ConstBytes) override {}
  std::optional<OutgoingDatagram> next_datagram(std::size_t, Time) override { return std::nullopt; }
  void datagram_sent() override {}
  std::size_t flows_waiting() const override { return count_; }

 private:
  std::size_t count_;
};

struct Sent {
  std::size_t by_datagrams = 0;
  std::size_t by_streams = 0;
  std::size_t longest_wait_of_datagrams = 0;  ///< bytes of streams in a row
  std::size_t longest_wait_of_streams = 0;
};

/// What each side sends of `bytes` when neither ever runs dry.
Sent contend(std::size_t flows, std::size_t streams, std::size_t datagram, std::size_t packet, std::size_t bytes) {
  const Flows user(flows);
  DatagramShare share;
  share.datagrams_came();
  Sent sent;
  std::size_t in_a_row = 0;
  bool datagrams_before = false;
  while (sent.by_datagrams + sent.by_streams < bytes) {
    const bool datagrams = share.datagrams_next(user, streams);
    if (datagrams != datagrams_before) in_a_row = 0;
    datagrams_before = datagrams;
    const std::size_t step = datagrams ? datagram : packet;
    in_a_row += step;
    if (datagrams) {
      share.datagrams_sent(step);
      sent.by_datagrams += step;
      sent.longest_wait_of_streams = std::max(sent.longest_wait_of_streams, in_a_row);
    } else {
      share.streams_sent(step);
      sent.by_streams += step;
      sent.longest_wait_of_datagrams = std::max(sent.longest_wait_of_datagrams, in_a_row);
    }
  }
  return sent;
}

TEST(DatagramShare, gives_every_flow_the_share_of_a_stream) {
  for (const auto& [flows, streams] : {std::pair{1U, 1U}, {3U, 1U}, {1U, 8U}, {10U, 10U}, {16U, 1U}, {7U, 3U}}) {
    for (const auto& [datagram, packet] : {std::pair{200U, 1400U}, {1400U, 1400U}, {65'000U, 65'000U}}) {
      const Sent sent = contend(flows, streams, datagram, packet, 100'000'000);
      const double share = static_cast<double>(sent.by_datagrams) / 100'000'000;
      const double fair = static_cast<double>(flows) / (flows + streams);
      if (packet * flows / streams > limits::kDatagramTurnBytesMax) continue;
      EXPECT_NEAR(share, fair, 0.05 * fair) << flows << " flows of " << datagram << " against " << streams;
    }
  }
}

TEST(DatagramShare, lets_a_usual_datagram_wait_for_one_turn_at_most_whatever_the_streams) {
  const Sent sent = contend(1, 1000, 1400, 1400, 100'000'000);
  EXPECT_LT(sent.longest_wait_of_datagrams, limits::kStreamTurnBytesMax + 1400);
  EXPECT_LT(sent.by_datagrams, sent.by_streams / 8);
}

TEST(DatagramShare, starves_no_stream_however_many_the_flows) {
  const Sent sent = contend(100'000, 1, 1400, 1400, 100'000'000);
  EXPECT_LE(sent.longest_wait_of_streams, limits::kDatagramTurnBytesMax + 1400);
  EXPECT_GT(sent.by_streams, sent.by_datagrams / 20);
}

TEST(DatagramShare, a_rare_datagram_goes_at_once_when_streams_have_had_their_turn) {
  const Flows one(1);
  DatagramShare share;
  share.streams_sent(1'000'000'000);
  share.datagrams_came();
  EXPECT_TRUE(share.datagrams_next(one, 5));
  share.datagrams_sent(100);
  // It was the only one. Another right behind it is not favoured again.
  share.datagrams_came();
  EXPECT_FALSE(share.datagrams_next(one, 5));
  share.streams_sent(limits::kStreamTurnBytesMax);
  EXPECT_TRUE(share.datagrams_next(one, 5));
}

}  // namespace
}  // namespace qmux::quic

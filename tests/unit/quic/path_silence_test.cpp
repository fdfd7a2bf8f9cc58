// SPDX-License-Identifier: MIT
//
// When a peer counts as silent: the rule by itself, and connections over a link with a round trip of 50 ms.
#include "quic/path_silence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "quic/limits.h"
#include "unit/quic/quic_pair.h"

namespace qmux::quic {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPto = 200ms;
constexpr Time kStart = Time(1000s);

TEST(PathSilence, two_probe_timeouts_without_an_answer_are_silence) {
  PathSilence silence;
  EXPECT_EQ(silence.look_at(), kNever);
  silence.asked(kStart, kPto);
  EXPECT_EQ(silence.look_at(), kStart + kPto);
  silence.look(kStart + kPto, kPto);
  EXPECT_FALSE(silence.is_silent());
  silence.look(kStart + 2 * kPto - 1ms, kPto);
  EXPECT_FALSE(silence.is_silent());
  silence.look(kStart + 2 * kPto, kPto);
  EXPECT_TRUE(silence.is_silent());
  EXPECT_EQ(silence.look_at(), kNever);
  EXPECT_EQ(silence.asked_at(), kStart);
}

TEST(PathSilence, what_is_sent_later_does_not_prolong_the_wait) {
  PathSilence silence;
  silence.asked(kStart, kPto);
  silence.look(kStart + kPto, kPto);
  silence.asked(kStart + kPto, kPto);
  silence.look(kStart + 2 * kPto, kPto);
  EXPECT_TRUE(silence.is_silent());
}

TEST(PathSilence, a_peer_that_owes_nothing_is_never_silent) {
  PathSilence silence;
  silence.asked(kStart, kPto);
  silence.heard();
  silence.look(kStart + 100s, kPto);
  EXPECT_FALSE(silence.is_silent());
  EXPECT_EQ(silence.look_at(), kNever);
}

TEST(PathSilence, an_own_loop_that_was_late_leaves_the_peer_another_timeout) {
  PathSilence silence;
  silence.asked(kStart, kPto);
  silence.look(kStart + 10 * kPto, kPto);
  EXPECT_FALSE(silence.is_silent());
  EXPECT_EQ(silence.look_at(), kStart + 11 * kPto);
}

TEST(PathSilence, on_a_short_path_a_process_may_be_slower_than_the_path) {
  PathSilence silence;
  silence.asked(kStart, 1ms);
  silence.look(kStart + limits::kPathSilenceLookMin - 1ms, 1ms);
  silence.look(kStart + limits::kPathSilenceLookMin, 1ms);
  EXPECT_FALSE(silence.is_silent());
  silence.look(kStart + 2 * limits::kPathSilenceLookMin, 1ms);
  EXPECT_TRUE(silence.is_silent());
}

struct SilenceTest : ::testing::Test, ConnectionEvents {
  SilenceTest() : pair(1, {.delay = 25ms}, {.idle_timeout = 120s}, {.idle_timeout = 120s}) {
    pair.establish();
    pair.run_until([] { return false; }, 2s);
    stream = std::make_unique<TestStream>(*pair.server.connection->open_stream());
    pair.server.connection->set_events(this);
  }
  ~SilenceTest() override {
    if (pair.server.connection != nullptr) pair.server.connection->set_events(&pair.server);
  }

  void established(Connection&) override {}
  void stream_opened(Connection&, Stream&) override {}
  void stream_credit(Connection&) override {}
  void closed(Connection&, const CloseCause&) override { pair.server.connection = nullptr; }
  void peer_silent(Connection&) override { ++silent; }
  void peer_heard(Connection&) override { ++heard; }

  void server_sends(std::size_t bytes = 1) {
    stream->send(std::string(bytes, 'x'), false);
    QuicPair::act(pair.server);
  }
  void cut(bool off) {
    pair.world.a_to_b.properties().loss = off ? 1.0 : 0.0;
    pair.world.b_to_a.properties().loss = off ? 1.0 : 0.0;
  }
  /// 25 ms for the peer to acknowledge, and the variance of some round trips.
  static constexpr Duration kSoon = 2 * (50ms + 25ms + 4 * 25ms);

  QuicPair pair;
  std::unique_ptr<TestStream> stream;
  int silent = 0;
  int heard = 0;
};

TEST_F(SilenceTest, an_idle_connection_is_never_silent) {
  cut(true);
  pair.world.run_for(60s);
  EXPECT_EQ(silent, 0);
}

TEST_F(SilenceTest, a_healthy_connection_that_sends_now_and_then_is_never_silent) {
  for (int i = 0; i < 200; ++i) {
    server_sends();
    pair.world.run_for(Duration(1ms) * (i % 23) * 7);
  }
  pair.world.run_for(60s);
  EXPECT_EQ(silent, 0);
}

TEST_F(SilenceTest, a_connection_that_is_busy_is_never_silent) {
  pair.world.b_to_a.properties().rate_bits_per_second = 4'000'000;
  pair.world.b_to_a.properties().queue_bytes = 400'000;  // 0.8 s
  server_sends(10'000'000);
  pair.world.run_for(30s);
  EXPECT_EQ(silent, 0);
}

TEST_F(SilenceTest, it_is_reported_once_and_again_only_after_an_answer) {
  cut(true);
  server_sends();
  EXPECT_TRUE(pair.run_until([&] { return silent == 1; }, kSoon));
  pair.world.run_for(10s);
  server_sends();
  pair.world.run_for(10s);
  EXPECT_EQ(silent, 1);
  EXPECT_EQ(heard, 0);
  EXPECT_TRUE(pair.server.connection->is_silent());
  cut(false);
  EXPECT_TRUE(pair.run_until([&] { return heard == 1; }, 30s));
  EXPECT_FALSE(pair.server.connection->is_silent());
  pair.world.run_for(10s);
  EXPECT_EQ(silent, 1);
  cut(true);
  server_sends();
  // After such an outage a probe timeout is what it was at the beginning, 1 s (RFC 9002 section 7.6).
  EXPECT_TRUE(pair.run_until([&] { return silent == 2; }, 2500ms));
}

TEST_F(SilenceTest, one_lost_packet_is_not_silence) {
  cut(true);
  server_sends();
  pair.world.run_for(1ms);
  cut(false);
  pair.world.run_for(10s);
  EXPECT_EQ(silent, 0);
}

TEST_F(SilenceTest, a_server_that_stood_still_does_not_blame_the_peer) {
  server_sends();
  pair.world.run_for(1ms);
  pair.world.b.set_frozen(true);
  pair.world.run_for(3s);
  pair.world.b.set_frozen(false);
  pair.world.run_for(10s);
  EXPECT_EQ(silent, 0);
}

}  // namespace
}  // namespace qmux::quic

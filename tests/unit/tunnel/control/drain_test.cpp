// SPDX-License-Identifier: MIT
#include "tunnel/control/drain.h"

#include <gtest/gtest.h>

#include <vector>

#include "tunnel/fakes/loop.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::FakeLoop;
using wire::GoAway;

class DrainTest : public ::testing::Test, private DrainHost {
 protected:
  void advance(Duration by) { loop_.advance(by); }
  /// What was sent since the last call.
  std::vector<GoAway> sent() { return std::exchange(sent_, {}); }

  FakeLoop loop_;
  Drain drain_{loop_, *this};
  bool idle_ = false;
  bool peer_lives_ = true;

 private:
  [[nodiscard]] bool is_idle() const override { return idle_; }
  [[nodiscard]] Time last_heard() const override { return peer_lives_ ? loop_.now() : Time::min(); }
  void send_go_away(const GoAway& message) override { sent_.push_back(message); }

  std::vector<GoAway> sent_;
};

TEST_F(DrainTest, asks_at_once_and_again_every_second) {
  drain_.begin("stop", true);
  EXPECT_EQ(sent(), std::vector{GoAway{.reason = "stop"}});
  advance(limits::kDrainAskInterval - 100ms);
  EXPECT_TRUE(sent().empty());
  advance(200ms);
  EXPECT_EQ(sent().size(), 1U);
  drain_.begin("again", true);
  EXPECT_TRUE(sent().empty());
}

TEST_F(DrainTest, is_done_once_both_sides_are_idle) {
  drain_.begin("stop", true);
  (void)drain_.peer_said({.idle = true});
  EXPECT_FALSE(drain_.done());
  idle_ = true;
  EXPECT_TRUE(drain_.done());
  EXPECT_FALSE(drain_.is_asked()) << "the peer has answered, and is not to stop itself";
}

TEST_F(DrainTest, waits_for_a_peer_that_lives_and_is_busy) {
  idle_ = true;
  drain_.begin("stop", true);
  advance(1h);
  EXPECT_FALSE(drain_.done());
}

TEST_F(DrainTest, asks_no_peer_that_does_not_understand_and_waits_for_this_side_alone) {
  drain_.begin("stop", false);
  advance(2 * limits::kDrainAskInterval);
  EXPECT_TRUE(sent().empty());
  EXPECT_FALSE(drain_.done());
  idle_ = true;
  EXPECT_TRUE(drain_.done());
}

TEST_F(DrainTest, waits_for_no_peer_that_is_silent) {
  idle_ = true;
  peer_lives_ = false;
  drain_.begin("stop", true);
  advance(limits::kDrainSilenceTimeMax - 100ms);
  EXPECT_FALSE(drain_.done());
  advance(200ms);
  EXPECT_TRUE(drain_.done());
}

TEST_F(DrainTest, says_that_this_side_is_idle_when_it_is_asked) {
  EXPECT_TRUE(drain_.peer_said({.reason = "stop"}));
  EXPECT_FALSE(drain_.peer_said({.reason = "stop"}));
  EXPECT_TRUE(drain_.is_asked());
  EXPECT_TRUE(sent().empty());
  idle_ = true;
  advance(2 * limits::kDrainLookInterval);
  ASSERT_EQ(sent().size(), 1U);
  advance(1s);
  EXPECT_TRUE(sent().empty()) << "once";
}

TEST_F(DrainTest, says_it_anew_after_another_tunnel) {
  idle_ = true;
  (void)drain_.peer_said({.reason = "stop"});
  EXPECT_TRUE(sent().front().idle);
  drain_.tunnel_opened();
  advance(2 * limits::kDrainLookInterval);
  EXPECT_EQ(sent().size(), 1U);
}

TEST_F(DrainTest, an_idle_peer_counts_once_it_has_seen_every_tunnel) {
  idle_ = true;
  drain_.begin("stop", true);
  (void)drain_.peer_said({.idle = true});
  drain_.tunnel_opened();
  EXPECT_FALSE(drain_.done());
  (void)drain_.peer_said({.idle = true});  // sent before the tunnel was there
  EXPECT_FALSE(drain_.done());
  (void)drain_.peer_said({.idle = true, .tunnels = 1});
  EXPECT_TRUE(drain_.done());
}

TEST_F(DrainTest, a_tunnel_that_is_still_on_its_way_counts) {
  idle_ = true;
  drain_.begin("stop", true);
  (void)drain_.peer_said({.idle = true, .tunnels = 1});
  EXPECT_FALSE(drain_.done());
  drain_.tunnel_opened();
  EXPECT_TRUE(drain_.done());
}

TEST_F(DrainTest, two_sides_that_both_stop_wait_for_each_other) {
  drain_.begin("stop", true);
  (void)drain_.peer_said({.reason = "stop"});
  idle_ = true;
  EXPECT_FALSE(drain_.done());
  advance(2 * limits::kDrainLookInterval);
  EXPECT_TRUE(sent().back().idle);
  (void)drain_.peer_said({.reason = "stop", .idle = true});
  EXPECT_TRUE(drain_.done());
}

}  // namespace
}  // namespace qmux::tunnel

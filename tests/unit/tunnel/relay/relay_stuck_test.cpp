// SPDX-License-Identifier: MIT
//
// Relays whose socket takes nothing, and what all of them may hold.
#include <gtest/gtest.h>

#include <string>

#include "tunnel/fakes/tunnel.h"
#include "tunnel/relay/relay.h"

namespace qmux::tunnel {
namespace {

using quic::ErrorCode;
using testing::Tunnel;
using testing::Worker;
using Cause = RelayEnd::Cause;

TEST(StuckTunnels, the_one_stuck_longest_is_ended_over_the_limit) {
  Worker worker;
  Tunnel first(worker), second(worker), third(worker);
  for (Tunnel* tunnel : {&first, &second, &third}) {
    tunnel->far.room_bytes = 0;
    tunnel->peer.sends(std::string(400'000, 'x'));
    tunnel->run();
  }
  EXPECT_TRUE(first.ended_with(Cause::stuck));
  EXPECT_TRUE(first.far.aborted);
  EXPECT_EQ(first.peer.reset, ErrorCode::limit_reached);
  EXPECT_EQ(first.peer.stopped, ErrorCode::limit_reached);
  EXPECT_FALSE(second.ended());
  EXPECT_FALSE(third.ended());
  EXPECT_EQ(worker.evictions, 1U);
  EXPECT_EQ(worker.budget.holder_count(), 2U);
}

TEST(StuckTunnels, get_no_credit_over_their_share_while_memory_is_tight_until_they_have_taken_everything) {
  Worker worker;
  Tunnel hoarder(worker), slow(worker);
  slow.far.room_bytes = 1'000;
  slow.peer.sends(std::string(10'000, 'x'));
  slow.run();
  hoarder.far.room_bytes = 0;
  hoarder.peer.sends(std::string(600'000, 'x'));
  hoarder.run();
  hoarder.far.room_bytes = 1'000;
  hoarder.run();
  EXPECT_EQ(hoarder.peer.credit_bytes, 0U);
  slow.far.room_bytes = 1'000;
  slow.run();
  EXPECT_EQ(slow.peer.credit_bytes, 2'000U) << "it holds little";
  hoarder.far.room_bytes = 600'000;
  hoarder.run();
  EXPECT_EQ(hoarder.peer.credit_bytes, 600'000U);
}

TEST(StuckTunnels, one_that_still_moves_is_not_the_one) {
  Worker worker;
  Tunnel slow(worker), dead(worker), late(worker);
  for (Tunnel* tunnel : {&slow, &dead}) {
    tunnel->far.room_bytes = 0;
    tunnel->peer.sends(std::string(400'000, 'x'));
    tunnel->run();
  }
  slow.far.room_bytes = 1;
  slow.run();
  late.far.room_bytes = 0;
  late.peer.sends(std::string(400'000, 'x'));
  late.run();
  EXPECT_FALSE(slow.ended());
  EXPECT_TRUE(dead.ended_with(Cause::stuck));
}

TEST(StuckTunnels, one_whose_far_end_still_takes_what_the_kernel_holds_is_not_the_one) {
  Worker worker;
  Tunnel slow(worker), dead(worker), late(worker);
  for (Tunnel* tunnel : {&slow, &dead}) {
    tunnel->far.room_bytes = 100'000;
    tunnel->far.unacknowledged_bytes = 100'000;
    tunnel->peer.sends(std::string(500'000, 'x'));
    tunnel->run();
  }
  slow.far.unacknowledged_bytes = 99'999;  // not enough to make the socket writable
  late.far.room_bytes = 0;
  late.peer.sends(std::string(400'000, 'x'));
  late.run();
  EXPECT_FALSE(slow.ended());
  EXPECT_TRUE(dead.ended_with(Cause::stuck));
}

TEST(StuckTunnels, one_that_alone_is_over_the_limit_is_ended) {
  Worker worker;
  Tunnel tunnel(worker);
  tunnel.far.room_bytes = 0;
  tunnel.peer.sends(std::string(2'000'000, 'x'));
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::stuck));
}

TEST(StuckTunnels, drained_ones_count_no_more) {
  Worker worker;
  Tunnel tunnel(worker);
  tunnel.far.room_bytes = 0;
  tunnel.peer.sends(std::string(400'000, 'x'));
  tunnel.run();
  EXPECT_GE(worker.budget.held_bytes(), 400'000U);
  tunnel.far.room_bytes = 1'000'000;
  tunnel.run();
  EXPECT_EQ(worker.budget.held_bytes(), 0U);
}

}  // namespace
}  // namespace qmux::tunnel

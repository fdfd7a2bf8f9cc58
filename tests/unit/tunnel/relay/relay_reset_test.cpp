// SPDX-License-Identifier: MIT
//
// What was sent before a reset arrives before it, in both directions and within limits.
#include <gtest/gtest.h>

#include <string>

#include "tunnel/fakes/tunnel.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using quic::ErrorCode;
using std::chrono::milliseconds;
using testing::Tunnel;
using testing::TunnelTest;
using testing::Worker;
using Cause = RelayEnd::Cause;

class Resetting : public TunnelTest {};

// --- our socket was reset ---------------------------------------------------------------------------------------------

TEST_F(Resetting, reset_stream_waits_until_what_came_before_is_acknowledged) {
  far.arriving = "an early answer";
  far.reset_sent = true;
  tunnel.run();
  EXPECT_FALSE(tunnel.ended());
  EXPECT_FALSE(peer.reset);
  EXPECT_FALSE(peer.stopped) << "a peer that gets STOP_SENDING cuts what is in flight to it";
  peer.takes(5);
  tunnel.run();
  EXPECT_FALSE(peer.reset);
  peer.takes();
  tunnel.run();
  EXPECT_EQ(peer.received, "an early answer");
  EXPECT_FALSE(peer.fin_received);
  EXPECT_EQ(peer.reset, ErrorCode::tcp_reset);
  EXPECT_EQ(peer.stopped, ErrorCode::tcp_reset);
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_FALSE(tunnel.end->cut);
  EXPECT_EQ(tunnel.end->bytes_to_stream, 15U);
}

TEST_F(Resetting, a_write_that_meets_the_reset_does_not_lose_what_was_not_read_yet) {
  far.arriving = "413";
  far.reset_sent = true;
  far.reset_reported = true;  // the write finds out first
  peer.sends("more of the request");
  tunnel.run();
  peer.takes();
  tunnel.run();
  EXPECT_EQ(peer.received, "413");
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(Resetting, what_the_stream_had_no_room_for_is_still_read_after_the_reset) {
  const std::string sent(500'000, 'x');
  far.arriving = sent;
  tunnel.run();
  EXPECT_FALSE(far.arriving.empty());
  far.reset_sent = true;
  for (int i = 0; i < 100 && !tunnel.ended(); ++i) {
    tunnel.run();
    peer.takes();
  }
  EXPECT_EQ(peer.received, sent);
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(Resetting, a_fin_that_was_not_read_before_the_reset_still_counts) {
  far.arriving = "all of it";
  far.fin_sent = true;
  far.reset_sent = true;
  far.reset_reported = true;  // the write finds out first
  peer.sends("x");
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_FALSE(peer.reset);
  EXPECT_EQ(peer.stopped, ErrorCode::tcp_reset);
  peer.takes();
  EXPECT_EQ(peer.received, "all of it");
  EXPECT_TRUE(peer.fin_received);
}

TEST_F(Resetting, meanwhile_what_comes_for_the_socket_is_dropped_without_credit) {
  far.arriving = "answer";
  far.reset_sent = true;
  tunnel.run();
  peer.sends(std::string(100'000, 'x'));
  tunnel.run();
  EXPECT_EQ(peer.stream().readable_bytes(), 0U);
  EXPECT_EQ(peer.credit_bytes, 0U);
  EXPECT_FALSE(tunnel.ended());
}

TEST_F(Resetting, a_peer_whose_socket_is_gone_too_ends_the_wait) {
  for (const bool stops : {false, true}) {
    Tunnel other(worker);
    other.far.arriving = "answer";
    other.far.reset_sent = true;
    other.run();
    stops ? other.peer.stops() : other.peer.resets(ErrorCode::tcp_reset);
    other.run();
    EXPECT_TRUE(other.ended());
  }
}

TEST_F(Resetting, bytes_that_are_never_acknowledged_do_not_hold_it_for_ever) {
  far.arriving = "answer";
  far.reset_sent = true;
  tunnel.run();
  tunnel.advance(limits::kLastBytesIdleTimeMax - milliseconds(1));
  EXPECT_FALSE(tunnel.ended());
  tunnel.advance(milliseconds(1));
  EXPECT_EQ(peer.reset, ErrorCode::tcp_reset);
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_TRUE(tunnel.end->cut);
}

TEST_F(Resetting, a_peer_that_takes_one_byte_at_a_time_does_not_hold_it_for_ever) {
  far.arriving = std::string(1'000, 'x');
  far.reset_sent = true;
  tunnel.run();
  Duration waited{};
  while (!tunnel.ended() && waited < std::chrono::hours(1)) {
    peer.takes(1);
    tunnel.advance(std::chrono::seconds(1));
    waited += std::chrono::seconds(1);
  }
  EXPECT_EQ(waited, limits::kLastBytesTimeMax);
  EXPECT_TRUE(tunnel.end->cut);
}

TEST_F(Resetting, it_counts_in_the_memory_budget_and_can_be_evicted) {
  far.arriving = std::string(100'000, 'x');
  far.reset_sent = true;
  tunnel.run();
  EXPECT_GE(worker.budget.held_bytes(), 100'000U);
  Tunnel other(worker);
  other.far.room_bytes = 0;
  other.peer.sends(std::string(1'000'000, 'x'));
  other.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::stuck));
  EXPECT_EQ(peer.reset, ErrorCode::limit_reached);
}

TEST_F(Resetting, its_owner_and_a_lost_connection_end_it_at_once) {
  for (const bool lost : {false, true}) {
    Tunnel other(worker);
    other.far.arriving = "answer";
    other.far.reset_sent = true;
    other.run();
    EXPECT_EQ(lost ? other.connection_lost().cause : other.abort(ErrorCode::shutdown).cause,
              lost ? Cause::connection_lost : Cause::aborted);
    EXPECT_TRUE(other.far.aborted);
  }
}

// --- the far socket was reset -----------------------------------------------------------------------------------------

TEST_F(Resetting, the_socket_gets_what_had_arrived_before_it_is_reset) {
  peer.sends("an early answer");
  peer.resets(ErrorCode::tcp_reset);
  far.unacknowledged_bytes = 15;
  tunnel.run();
  EXPECT_EQ(far.received, "an early answer");
  EXPECT_FALSE(far.aborted) << "RST would destroy what its kernel has not delivered";
  tunnel.advance(milliseconds(500));
  EXPECT_FALSE(far.aborted);
  far.unacknowledged_bytes = 0;
  tunnel.advance(milliseconds(500));
  EXPECT_TRUE(far.aborted);
  EXPECT_FALSE(far.fin_received);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_reset));
  EXPECT_EQ(tunnel.end->peer_code, 0x11U);
  EXPECT_FALSE(tunnel.end->cut);
}

TEST_F(Resetting, a_socket_that_is_read_slowly_gets_it_all) {
  far.room_bytes = 10;
  const std::string sent(10'000, 'x');
  peer.sends(sent);
  tunnel.run();
  peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(tunnel.ended());
    far.room_bytes = 500;
    tunnel.advance(std::chrono::seconds(10));
  }
  EXPECT_EQ(far.received, sent);
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_reset));
}

TEST_F(Resetting, a_socket_that_takes_nothing_is_reset_in_the_end) {
  far.room_bytes = 0;
  peer.sends("never read");
  tunnel.run();
  peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  tunnel.advance(limits::kLastBytesIdleTimeMax - milliseconds(1));
  EXPECT_FALSE(tunnel.ended());
  EXPECT_GT(worker.budget.held_bytes(), 0U);
  tunnel.advance(milliseconds(1));
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.end->cut);
  EXPECT_EQ(worker.budget.held_bytes(), 0U);
}

TEST_F(Resetting, meanwhile_the_socket_is_not_read) {
  far.room_bytes = 0;
  peer.sends("answer");
  tunnel.run();
  peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  far.arriving = "discarded bytes";
  far.fin_sent = true;
  tunnel.run();
  EXPECT_EQ(far.arriving, "discarded bytes");
  EXPECT_FALSE(tunnel.ended());
}

TEST_F(Resetting, a_tunnel_that_its_peer_gives_up_is_reset_at_once) {
  for (const ErrorCode code : {ErrorCode::limit_reached, ErrorCode::shutdown, ErrorCode::internal}) {
    Tunnel other(worker);
    other.far.room_bytes = 1;
    other.peer.sends("undelivered");
    other.run();
    other.peer.resets(code);
    other.run();
    EXPECT_TRUE(other.far.aborted);
    EXPECT_EQ(other.far.received, "u");
    EXPECT_TRUE(other.ended_with(Cause::peer_reset));
    EXPECT_EQ(other.end->peer_code, static_cast<std::uint64_t>(code));
  }
}

TEST_F(Resetting, bytes_and_reset_that_came_before_the_relay_began_are_relayed) {
  Tunnel late(worker, {}, [](testing::StreamPeer& early) {
    early.sends("request");
    early.resets(ErrorCode::tcp_reset);
    early.deliver_events();
  });
  late.run();
  EXPECT_EQ(late.far.received, "request");
  EXPECT_TRUE(late.far.aborted);
}

TEST(ResettingWithAck, the_acknowledgement_is_none_of_the_last_bytes) {
  Worker worker;
  Tunnel tunnel(worker, RelayOptions{.service = RelayService::ack_expected});
  tunnel.peer.sends(std::string("\0answer", 7));
  tunnel.peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  EXPECT_EQ(tunnel.acknowledgements, 1);
  EXPECT_EQ(tunnel.far.received, "answer");
  EXPECT_TRUE(tunnel.far.aborted);
}

// --- STOP_SENDING -----------------------------------------------------------------------------------------------------

TEST_F(Resetting, bytes_before_a_fin_are_read_as_slowly_as_the_socket_likes_after_stop_sending) {
  peer.sends("one ");
  peer.stops();
  tunnel.run();
  tunnel.advance(std::chrono::seconds(20));  // the path is out for a moment
  EXPECT_FALSE(tunnel.ended());
  peer.finishes("two");
  far.unacknowledged_bytes = 3;
  tunnel.run();
  tunnel.advance(std::chrono::seconds(20));
  EXPECT_FALSE(tunnel.ended());
  far.unacknowledged_bytes = 0;
  tunnel.advance(std::chrono::seconds(2));
  EXPECT_EQ(far.received, "one two");
  EXPECT_TRUE(far.fin_received);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
  EXPECT_FALSE(tunnel.end->cut);
}

TEST_F(Resetting, a_socket_that_sends_on_to_none_keeps_what_is_on_its_way_to_it) {
  peer.finishes("bye");
  peer.stops();
  far.unacknowledged_bytes = 3;
  far.arriving = std::string(limits::kDiscardBytesMax + 1, 'x');
  tunnel.run();
  tunnel.advance(std::chrono::seconds(5));
  EXPECT_FALSE(far.aborted);
  far.unacknowledged_bytes = 0;
  tunnel.advance(std::chrono::seconds(1));
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

// --- Go peers ---------------------------------------------------------------------------------------------------------

TEST(ResettingBesideGo, what_was_sent_ends_with_fin_which_loses_nothing_there) {
  for (const RelayPeer kind : {RelayPeer::go_server, RelayPeer::go_client}) {
    Worker worker;
    Tunnel tunnel(worker, RelayOptions{.peer = kind, .conn_id = 1});
    tunnel.far.arriving = "answer";
    tunnel.far.reset_sent = true;
    tunnel.run();
    tunnel.peer.takes();
    tunnel.run();
    EXPECT_EQ(tunnel.peer.received, "answer");
    EXPECT_TRUE(tunnel.peer.fin_received);
    EXPECT_FALSE(tunnel.peer.reset);
    EXPECT_FALSE(tunnel.peer.stopped) << "it would end before it has passed everything on";
    EXPECT_FALSE(tunnel.ended());
    tunnel.peer.finishes();
    tunnel.run();
    EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
    EXPECT_FALSE(tunnel.peer.reset);
  }
}

TEST(ResettingBesideGo, one_that_does_not_end_is_left_in_the_end) {
  Worker worker;
  Tunnel tunnel(worker, RelayOptions{.peer = RelayPeer::go_server});
  tunnel.far.arriving = "answer";
  tunnel.far.reset_sent = true;
  tunnel.run();
  tunnel.peer.takes();
  tunnel.run();
  tunnel.advance(limits::kLastBytesTimeMax);
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_EQ(tunnel.peer.stopped, ErrorCode::tcp_reset);
  EXPECT_FALSE(tunnel.peer.reset) << "what it has it may still pass on";
}

TEST(ResettingBesideGo, one_that_ends_early_gets_no_stream_that_stays_open) {
  Worker worker;
  Tunnel tunnel(worker, RelayOptions{.peer = RelayPeer::go_client, .conn_id = 1});
  tunnel.far.arriving = "request";
  tunnel.far.reset_sent = true;
  tunnel.run();
  tunnel.peer.finishes();
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_EQ(tunnel.peer.reset, ErrorCode::tcp_reset);
}

}  // namespace
}  // namespace qmux::tunnel

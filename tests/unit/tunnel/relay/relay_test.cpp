// SPDX-License-Identifier: MIT
#include "tunnel/relay/relay.h"

#include <gtest/gtest.h>

#include <string>

#include "tunnel/fakes/tunnel.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using quic::ErrorCode;
using testing::Tunnel;
using testing::TunnelTest;
using testing::Worker;
using Cause = RelayEnd::Cause;

/// Bytes that differ from place to place.
std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

class Relaying : public TunnelTest {};

// --- bytes ------------------------------------------------------------------------------------------------------------

TEST_F(Relaying, carries_bytes_both_ways) {
  far.arriving = "request";
  peer.sends("answer");
  tunnel.run();
  peer.takes();
  EXPECT_EQ(peer.received, "request");
  EXPECT_EQ(far.received, "answer");
  EXPECT_FALSE(tunnel.ended());
}

TEST(Relay, relays_what_arrived_before_it_began) {
  Worker worker;
  Tunnel tunnel(worker, {}, [](testing::StreamPeer& peer) { peer.finishes("early"); });
  EXPECT_EQ(tunnel.far.received, "");
  tunnel.run();
  EXPECT_EQ(tunnel.far.received, "early");
  EXPECT_TRUE(tunnel.far.fin_received);
}

TEST(Relay, sees_a_stop_that_came_before_it_began) {
  Worker worker;
  Tunnel tunnel(worker, {}, [](testing::StreamPeer& peer) {
    peer.stops();
    peer.deliver_events();
  });
  tunnel.run();
  tunnel.advance(limits::kLastBytesIdleTimeMax);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST(Relay, sees_a_reset_that_came_before_it_began) {
  Worker worker;
  Tunnel tunnel(worker, {}, [](testing::StreamPeer& peer) {
    peer.resets(ErrorCode::tcp_reset);
    peer.deliver_events();
  });
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_reset));
}

TEST_F(Relaying, gives_stream_credit_back_only_for_what_the_socket_took) {
  far.room_bytes = 4;
  peer.sends("0123456789");
  tunnel.run();
  EXPECT_EQ(far.received, "0123");
  EXPECT_EQ(peer.credit_bytes, 4U);
  far.room_bytes = 100;
  tunnel.run();
  EXPECT_EQ(far.received, "0123456789");
  EXPECT_EQ(peer.credit_bytes, 10U);
}

TEST_F(Relaying, survives_writes_of_one_byte) {
  far.write_bytes_max = 1;
  const std::string sent = pattern(50'000);
  peer.finishes(sent);
  tunnel.run();
  EXPECT_EQ(far.received, sent);
  EXPECT_TRUE(far.fin_received);
}

TEST_F(Relaying, does_not_write_to_a_socket_that_is_known_to_be_full) {
  far.room_bytes = 0;
  peer.sends("a");
  tunnel.run();
  const std::size_t calls = far.write_calls;
  for (int i = 0; i < 10; ++i) {
    peer.sends("b");
    tunnel.run();
  }
  EXPECT_EQ(far.write_calls, calls);
}

TEST_F(Relaying, stops_reading_the_socket_while_the_stream_can_hold_no_more) {
  const std::string sent = pattern(1'000'000);
  far.arriving = sent;
  tunnel.run();
  EXPECT_EQ(sent.size() - far.arriving.size(), peer.unsent_max);
  EXPECT_FALSE(io::has(far.interest, io::Interest::read));
  while (peer.received.size() < sent.size()) {
    peer.takes(30'000);
    tunnel.run();
    ASSERT_LE(peer.stream().unacknowledged_bytes(), peer.unsent_max);
  }
  EXPECT_EQ(peer.received, sent);
}

TEST_F(Relaying, says_that_it_waits_for_nothing_so_that_a_reset_is_reported) {
  far.arriving = pattern(1'000'000);
  const std::size_t calls = far.watch_calls;
  tunnel.run();
  EXPECT_GT(far.watch_calls, calls);
  EXPECT_EQ(far.interest, io::Interest::none);
  far.reset_sent = true;
  tunnel.run();
  EXPECT_TRUE(far.reset_reported);
  while (!peer.reset) {
    peer.takes();
    tunnel.run();
  }
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(Relaying, yields_after_a_bounded_read) {
  peer.unsent_max = 10'000'000;
  far.arriving = pattern(1'000'000);
  ASSERT_TRUE(far.notify_one());
  EXPECT_EQ(peer.stream().unacknowledged_bytes(), limits::kRelayReadBytesMax);
  tunnel.run();
  EXPECT_EQ(peer.stream().unacknowledged_bytes(), 1'000'000U);
}

TEST_F(Relaying, reads_again_only_when_more_was_there_than_it_asked_for) {
  far.arriving = "little";
  tunnel.run();
  EXPECT_EQ(far.read_calls, 1U);
}

TEST_F(Relaying, holds_no_buffer_while_idle) {
  far.arriving = pattern(100'000);
  peer.sends(pattern(100'000));
  tunnel.run();
  peer.takes();
  tunnel.run();
  EXPECT_EQ(worker.chunks.in_use_bytes(), 0U);
  EXPECT_EQ(worker.budget.holder_count(), 0U);
  EXPECT_EQ(worker.loop.timers().size(), 0U);
}

TEST(Relay, is_small) { EXPECT_LE(sizeof(Relay), 168U); }

// --- FIN --------------------------------------------------------------------------------------------------------------

TEST_F(Relaying, socket_fin_becomes_stream_fin_and_the_other_direction_goes_on) {
  far.arriving = "last words";
  far.fin_sent = true;
  tunnel.run();
  peer.takes();
  EXPECT_EQ(peer.received, "last words");
  EXPECT_TRUE(peer.fin_received);
  EXPECT_FALSE(tunnel.ended());

  peer.sends("still ");
  tunnel.run();
  peer.finishes("here");
  tunnel.run();
  EXPECT_EQ(far.received, "still here");
  EXPECT_TRUE(far.closed_in_order());
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_EQ(tunnel.end->bytes_to_stream, 10U);
  EXPECT_EQ(tunnel.end->bytes_to_socket, 10U);
  EXPECT_FALSE(peer.reset);
  EXPECT_FALSE(peer.stopped);
}

TEST_F(Relaying, stream_fin_becomes_socket_fin_and_the_other_direction_goes_on) {
  peer.finishes("last words");
  tunnel.run();
  EXPECT_EQ(far.received, "last words");
  EXPECT_TRUE(far.fin_received);
  EXPECT_FALSE(tunnel.ended());

  far.arriving = "still here";
  tunnel.run();
  far.fin_sent = true;
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_TRUE(far.closed_in_order());
  peer.takes();  // what is under way is the stream's to deliver
  EXPECT_EQ(peer.received, "still here");
  EXPECT_TRUE(peer.fin_received);
  EXPECT_FALSE(peer.reset);
}

TEST_F(Relaying, fin_waits_for_the_bytes_before_it) {
  far.room_bytes = 3;
  peer.finishes("abcdef");
  tunnel.run();
  EXPECT_FALSE(far.fin_received);
  far.room_bytes = 3;
  tunnel.run();
  EXPECT_EQ(far.received, "abcdef");
  EXPECT_TRUE(far.fin_received);
}

TEST_F(Relaying, fin_alone_is_carried_both_ways) {
  peer.finishes();
  far.fin_sent = true;
  tunnel.run();
  peer.takes();
  EXPECT_TRUE(peer.fin_received);
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_TRUE(far.closed_in_order());
}

TEST_F(Relaying, fin_after_back_pressure_is_not_lost) {
  const std::string sent = pattern(400'000);
  far.arriving = sent;
  far.fin_sent = true;
  tunnel.run();
  while (!peer.fin_received) {
    peer.takes(100'000);
    tunnel.run();
  }
  EXPECT_EQ(peer.received, sent);
}

// --- resets -----------------------------------------------------------------------------------------------------------

TEST_F(Relaying, socket_reset_ends_both_directions_of_the_stream) {
  far.reset_sent = true;
  tunnel.run();
  EXPECT_EQ(peer.reset, ErrorCode::tcp_reset);
  EXPECT_EQ(peer.stopped, ErrorCode::tcp_reset);
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(Relaying, socket_reset_is_seen_by_a_read) {
  far.arriving = "x";
  far.reset_reported = true;  // so that only the read finds out
  far.reset_sent = true;
  tunnel.run();
  peer.takes();
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(Relaying, socket_reset_is_seen_by_a_write) {
  far.reset_reported = true;
  far.reset_sent = true;
  peer.sends("x");
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_EQ(peer.reset, ErrorCode::tcp_reset);
}

TEST_F(Relaying, what_a_socket_sent_before_its_fin_outlives_its_reset) {
  far.arriving = "complete";
  far.fin_sent = true;
  tunnel.run();
  far.reset_sent = true;
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
  EXPECT_FALSE(peer.reset);
  EXPECT_EQ(peer.stopped, ErrorCode::tcp_reset);
  peer.takes();
  EXPECT_EQ(peer.received, "complete");
  EXPECT_TRUE(peer.fin_received);
}

TEST_F(Relaying, stream_reset_resets_the_socket) {
  peer.sends("all of it");
  tunnel.run();
  peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(far.received, "all of it");
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_reset));
  EXPECT_EQ(tunnel.end->peer_code, 0x11U);
  EXPECT_EQ(peer.reset, ErrorCode::tcp_reset);
  EXPECT_EQ(worker.budget.held_bytes(), 0U);
}

TEST_F(Relaying, stream_reset_after_the_sockets_fin_resets_it_too) {
  far.fin_sent = true;
  tunnel.run();
  peer.resets(ErrorCode::going_away);
  tunnel.run();
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(tunnel.end->peer_code, 0x12U);
}

TEST_F(Relaying, a_failed_dial_resets_the_socket_and_is_told_apart) {
  peer.resets(ErrorCode::dial_failed);
  tunnel.run();
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.ended_with(Cause::dial_failed));
}

TEST_F(Relaying, reset_that_arrives_with_stop_sending_is_one_end) {
  tunnel.keep_ended_relay = true;
  peer.stops();
  tunnel.run();
  peer.resets(ErrorCode::tcp_reset);
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_reset));
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(worker.loop.timers().size(), 0U);
}

// --- STOP_SENDING -----------------------------------------------------------------------------------------------------

TEST_F(Relaying, stop_sending_resets_the_socket_after_its_last_bytes_had_time) {
  far.room_bytes = 2;
  peer.finishes("last words");
  tunnel.run();
  peer.stops();
  tunnel.run();
  EXPECT_FALSE(tunnel.ended());
  far.room_bytes = 100;
  tunnel.run();
  EXPECT_EQ(far.received, "last words");
  EXPECT_TRUE(far.fin_received);
  EXPECT_FALSE(far.aborted);
  tunnel.advance(limits::kStoppedLingerTimeMax);
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST_F(Relaying, stop_sending_overtaken_by_nothing_still_ends) {
  peer.stops();
  tunnel.run();
  far.arriving = "discarded bytes";
  tunnel.run();
  EXPECT_EQ(far.arriving, "discarded bytes");
  tunnel.advance(limits::kLastBytesIdleTimeMax);
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(peer.stopped, ErrorCode::tcp_reset);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST_F(Relaying, stop_sending_is_noticed_while_waiting_for_room) {
  far.arriving = pattern(1'000'000);
  tunnel.run();
  peer.stops();
  tunnel.run();
  tunnel.advance(limits::kLastBytesIdleTimeMax);
  EXPECT_TRUE(far.aborted);
}

TEST_F(Relaying, socket_that_closes_after_stop_sending_ends_in_order) {
  peer.finishes("bye");
  peer.stops();
  tunnel.run();
  far.arriving = "thanks";
  far.fin_sent = true;
  tunnel.run();
  EXPECT_TRUE(far.closed_in_order());
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
  EXPECT_EQ(worker.loop.timers().size(), 0U);
}

TEST_F(Relaying, socket_that_waited_for_room_when_stop_sending_came_ends_in_order_too) {
  peer.unsent_max = 3;
  far.arriving = "thanks";
  far.fin_sent = true;
  tunnel.run();
  peer.stops();
  tunnel.run();
  peer.finishes("bye");
  tunnel.run();
  EXPECT_EQ(far.received, "bye");
  EXPECT_TRUE(far.closed_in_order());
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST_F(Relaying, socket_that_sends_on_to_none_is_reset) {
  peer.finishes("bye");
  peer.stops();
  far.arriving = pattern(limits::kDiscardBytesMax + 1);
  tunnel.run();
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST_F(Relaying, stop_sending_after_our_fin_changes_nothing) {
  far.fin_sent = true;
  tunnel.run();
  peer.stops();
  tunnel.run();
  tunnel.advance(std::chrono::hours(1));
  EXPECT_FALSE(tunnel.ended());
  peer.finishes("fine");
  tunnel.run();
  EXPECT_TRUE(far.closed_in_order());
}

// --- ends -------------------------------------------------------------------------------------------------------------

TEST_F(Relaying, ends_once_and_touches_nothing_afterwards) {
  tunnel.keep_ended_relay = true;
  peer.finishes();
  far.fin_sent = true;
  tunnel.run();
  ASSERT_TRUE(tunnel.ended());
  tunnel.advance(std::chrono::hours(1));
  tunnel.destroy();
  EXPECT_FALSE(far.aborted);
  EXPECT_FALSE(peer.reset);
}

TEST_F(Relaying, lost_connection_resets_the_socket_and_leaves_the_stream_alone) {
  far.arriving = "1234";
  peer.sends("123");
  tunnel.run();
  const RelayEnd end = tunnel.connection_lost();
  EXPECT_TRUE(far.aborted);
  EXPECT_TRUE(far.closed);
  EXPECT_FALSE(peer.released());
  EXPECT_EQ(end.cause, Cause::connection_lost);
  EXPECT_EQ(end.bytes_to_stream, 4U);
  EXPECT_EQ(end.bytes_to_socket, 3U);
  tunnel.destroy();
  EXPECT_FALSE(tunnel.ended());
}

TEST_F(Relaying, lost_connection_does_not_make_a_cut_download_look_complete) {
  far.room_bytes = 0;
  peer.finishes("not delivered");
  tunnel.run();
  tunnel.connection_lost();
  EXPECT_TRUE(far.aborted);
  EXPECT_FALSE(far.fin_received);
  tunnel.destroy();
}

TEST_F(Relaying, abort_resets_both_sides_with_the_code_given) {
  tunnel.abort(ErrorCode::going_away);
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(peer.reset, ErrorCode::going_away);
  EXPECT_EQ(peer.stopped, ErrorCode::going_away);
  EXPECT_TRUE(peer.released());
  EXPECT_FALSE(tunnel.ended());
}

TEST_F(Relaying, destruction_resets_both_sides) {
  tunnel.destroy();
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(peer.reset, ErrorCode::internal);
  EXPECT_FALSE(tunnel.ended());
}

// --- acknowledgement --------------------------------------------------------------------------------------------------

class RelayingWithAck : public TunnelTest {
 protected:
  RelayingWithAck() : TunnelTest(RelayOptions{.service = RelayService::ack_expected}) {}
};

TEST_F(RelayingWithAck, takes_the_zero_byte_and_tells) {
  tunnel.peer.sends(std::string_view("\0data", 5));
  tunnel.run();
  EXPECT_EQ(tunnel.acknowledgements, 1);
  EXPECT_EQ(tunnel.far.received, "data");
  tunnel.peer.sends(std::string_view("\0", 1));
  tunnel.run();
  EXPECT_EQ(tunnel.acknowledgements, 1);
  EXPECT_EQ(tunnel.far.received, std::string_view("data\0", 5));
  EXPECT_EQ(tunnel.peer.credit_bytes, 6U);
}

TEST_F(RelayingWithAck, visitor_bytes_do_not_wait_for_it) {
  tunnel.far.arriving = "request";
  tunnel.run();
  tunnel.peer.takes();
  EXPECT_EQ(tunnel.peer.received, "request");
  EXPECT_EQ(tunnel.acknowledgements, 0);
}

TEST_F(RelayingWithAck, any_other_first_byte_ends_it) {
  tunnel.peer.sends("data");
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::protocol_error));
  EXPECT_EQ(tunnel.far.received, "");
  EXPECT_TRUE(tunnel.far.aborted);
  EXPECT_EQ(tunnel.peer.reset, ErrorCode::internal);
  EXPECT_EQ(tunnel.peer.stopped, ErrorCode::internal);
}

TEST_F(RelayingWithAck, fin_without_it_ends_it) {
  tunnel.peer.finishes();
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::protocol_error));
  EXPECT_TRUE(tunnel.far.aborted);
}

TEST_F(RelayingWithAck, failed_dial_comes_instead) {
  tunnel.peer.resets(ErrorCode::dial_failed);
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::dial_failed));
  EXPECT_EQ(tunnel.acknowledgements, 0);
}

}  // namespace
}  // namespace qmux::tunnel

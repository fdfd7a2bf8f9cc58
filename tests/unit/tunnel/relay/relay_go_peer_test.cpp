// SPDX-License-Identifier: MIT
//
// A relay whose peer is a Go program.
#include <gtest/gtest.h>

#include <string>

#include "tunnel/fakes/tunnel.h"
#include "tunnel/limits.h"
#include "tunnel/relay/relay.h"
#include "wire/limits.h"

namespace qmux::tunnel {
namespace {

using quic::ErrorCode;
using testing::Tunnel;
using testing::TunnelTest;
using testing::Worker;
using Cause = RelayEnd::Cause;

constexpr std::uint64_t kConnId = 0x0123'4567'89ab'cdefU;

std::string frame(std::uint64_t conn_id, std::string_view reason) {
  const std::string json = R"({"ConnID":)" + std::to_string(conn_id) + R"(,"Reason":")" + std::string(reason) + "\"}";
  std::string text = "\x06";
  text += std::string(3, '\0');
  text += static_cast<char>(json.size());
  return text + json;
}

class FacingGoClient : public TunnelTest {
 protected:
  FacingGoClient() : TunnelTest(RelayOptions{.peer = RelayPeer::go_client, .conn_id = kConnId}) {}
};

TEST_F(FacingGoClient, trailer_is_kept_from_the_visitor) {
  peer.finishes("page" + frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_EQ(far.received, "page");
  EXPECT_TRUE(far.fin_received);
}

TEST_F(FacingGoClient, trailer_in_single_bytes_is_kept_from_the_visitor) {
  for (const char byte : "page" + frame(kConnId, "closed")) {
    peer.sends({&byte, 1});
    tunnel.run();
  }
  EXPECT_EQ(far.received, "page");
  tunnel.advance(std::chrono::seconds(1));
  EXPECT_EQ(far.received, "page");
  peer.finishes();
  tunnel.run();
  EXPECT_EQ(far.received, "page");
  EXPECT_TRUE(far.fin_received);
}

TEST_F(FacingGoClient, a_frame_that_is_not_its_own_is_data) {
  const std::string data = "page" + frame(kConnId + 1, "closed");
  peer.finishes(data);
  tunnel.run();
  EXPECT_EQ(far.received, data);
}

TEST_F(FacingGoClient, a_frame_that_is_not_last_is_data) {
  const std::string data = frame(kConnId, "closed") + "and more";
  peer.finishes(data);
  tunnel.run();
  EXPECT_EQ(far.received, data);
}

TEST_F(FacingGoClient, trailer_after_a_slow_download_is_kept_from_the_visitor) {
  const std::string page(700'000, 'p');
  far.write_bytes_max = 999;
  peer.finishes(page + frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_EQ(far.received, page);
  EXPECT_TRUE(far.fin_received);
}

TEST_F(FacingGoClient, a_last_byte_that_could_begin_a_trailer_is_held_briefly) {
  peer.sends("ack\x06");
  tunnel.run();
  EXPECT_EQ(far.received, "ack");
  tunnel.advance(limits::kTrailerHoldTimeMax);
  EXPECT_EQ(far.received, "ack\x06");
}

TEST_F(FacingGoClient, such_a_byte_reaches_a_visitor_who_was_full_meanwhile) {
  far.room_bytes = 1;
  peer.sends("ack\x06");
  tunnel.run();
  tunnel.advance(limits::kTrailerHoldTimeMax * 3);
  far.room_bytes = 100;
  tunnel.run();
  tunnel.advance(limits::kTrailerHoldTimeMax);
  EXPECT_EQ(far.received, "ack\x06");
}

TEST_F(FacingGoClient, failed_dial_resets_the_visitor) {
  peer.finishes(frame(kConnId, "dial failed: connection refused"));
  tunnel.run();
  EXPECT_TRUE(far.aborted);
  EXPECT_EQ(far.received, "");
  EXPECT_TRUE(tunnel.ended_with(Cause::dial_failed));
}

TEST_F(FacingGoClient, visitors_fin_is_held_until_the_client_has_been_silent) {
  far.arriving = "request";
  far.fin_sent = true;
  tunnel.run();
  peer.takes();
  EXPECT_EQ(peer.received, "request");
  EXPECT_FALSE(peer.fin_received);
  tunnel.advance(limits::kHeldFinSilence - std::chrono::milliseconds(1));
  peer.sends("part");
  tunnel.run();
  tunnel.advance(limits::kHeldFinSilence - std::chrono::milliseconds(1));
  peer.takes();
  EXPECT_FALSE(peer.fin_received);
  tunnel.advance(std::chrono::milliseconds(1));
  peer.takes();
  EXPECT_TRUE(peer.fin_received);
  EXPECT_FALSE(tunnel.ended());
  peer.finishes("rest" + frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_EQ(far.received, "partrest");
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_TRUE(far.closed_in_order());
}

TEST_F(FacingGoClient, held_fin_goes_once_the_client_has_ended) {
  far.fin_sent = true;
  tunnel.run();
  peer.finishes("answer" + frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_EQ(far.received, "answer");
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  peer.takes();
  EXPECT_TRUE(peer.fin_received);
  EXPECT_EQ(worker.loop.timers().size(), 0U);
}

TEST_F(FacingGoClient, a_client_whom_the_visitor_does_not_hear_is_not_silent) {
  far.fin_sent = true;
  far.room_bytes = 0;
  peer.sends("answer");
  tunnel.run();
  tunnel.advance(limits::kHeldFinSilence * 5);
  peer.takes();
  EXPECT_FALSE(peer.fin_received);
  far.room_bytes = 100;
  tunnel.run();
  tunnel.advance(limits::kHeldFinSilence);
  peer.takes();
  EXPECT_TRUE(peer.fin_received);
}

TEST_F(FacingGoClient, nothing_is_timed_any_more_once_both_have_ended) {
  far.fin_sent = true;
  far.room_bytes = 0;
  tunnel.run();
  peer.finishes("answer");
  tunnel.run();
  tunnel.advance(limits::kHeldFinSilence);
  EXPECT_EQ(worker.loop.timers().size(), 0U);
  EXPECT_FALSE(tunnel.ended());
}

TEST_F(FacingGoClient, reset_of_a_visitor_whose_fin_is_held_still_delivers_what_he_sent) {
  far.arriving = "request";
  far.fin_sent = true;
  tunnel.run();
  far.reset_sent = true;
  tunnel.run();
  peer.takes();
  EXPECT_EQ(peer.received, "request");
  EXPECT_TRUE(peer.fin_received);
  EXPECT_FALSE(peer.reset);
  EXPECT_FALSE(peer.stopped);
  peer.finishes(frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::socket_reset));
}

TEST_F(FacingGoClient, its_fin_is_answered_with_fin_when_nothing_is_under_way) {
  peer.finishes("answer" + frame(kConnId, "closed"));
  tunnel.run();
  peer.takes();
  EXPECT_TRUE(peer.fin_received);
  EXPECT_FALSE(peer.reset);
  EXPECT_TRUE(far.fin_received);
  EXPECT_FALSE(tunnel.ended());
  far.fin_sent = true;
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_TRUE(far.closed_in_order());
}

TEST_F(FacingGoClient, its_fin_resets_what_it_will_never_read) {
  far.arriving = "unread";
  tunnel.run();
  peer.finishes(frame(kConnId, "closed"));
  tunnel.run();
  EXPECT_TRUE(peer.reset);
  far.arriving = "a farewell";
  far.fin_sent = true;
  tunnel.run();
  EXPECT_TRUE(far.closed_in_order());
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
}

TEST_F(FacingGoClient, a_visitor_who_takes_his_time_gets_everything_after_its_fin) {
  far.room_bytes = 0;
  peer.finishes("slowly" + frame(kConnId, "closed"));
  tunnel.run();
  tunnel.advance(std::chrono::hours(1));
  EXPECT_FALSE(tunnel.ended());
  far.room_bytes = 100;
  tunnel.run();
  EXPECT_EQ(far.received, "slowly");
  EXPECT_TRUE(far.fin_received);
}

TEST_F(FacingGoClient, stop_sending_ends_the_wait_for_its_silence) {
  far.fin_sent = true;
  tunnel.run();
  peer.stops();
  tunnel.run();
  tunnel.advance(limits::kLastBytesIdleTimeMax);
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
  EXPECT_TRUE(far.aborted);
}

TEST(FacingGoServer, service_fin_goes_at_once_and_its_fin_ends_the_tunnel) {
  Worker worker;
  Tunnel tunnel(worker, RelayOptions{.peer = RelayPeer::go_server});
  tunnel.far.arriving = "answer";
  tunnel.far.fin_sent = true;
  tunnel.run();
  tunnel.peer.takes();
  EXPECT_TRUE(tunnel.peer.fin_received);
  tunnel.peer.finishes();
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::complete));
  EXPECT_TRUE(tunnel.far.closed_in_order());
}

TEST(FacingGoServer, a_service_that_answers_after_its_fin_does_not_stay_for_ever) {
  Worker worker;
  Tunnel tunnel(worker, RelayOptions{.peer = RelayPeer::go_server});
  tunnel.peer.finishes("request");
  tunnel.run();
  tunnel.far.arriving = std::string(limits::kDiscardBytesMax + 1, 'x');
  tunnel.run();
  EXPECT_TRUE(tunnel.ended_with(Cause::peer_stopped));
  EXPECT_TRUE(tunnel.far.aborted);
}

}  // namespace
}  // namespace qmux::tunnel

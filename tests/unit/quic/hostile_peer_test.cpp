// SPDX-License-Identifier: MIT
//
// That the peer of tests/hostile, which tests and fuzzers send their frames with, is understood as one.
#include "quic/hostile_peer.h"

#include <array>

namespace qmux::quic {
namespace {

using hostile::Frames;
using hostile::Level;
using hostile::PacketPlan;
using hostile::Peer;

class HostileServerTest : public HostilePeerTest {
 protected:
  /// The whole of a server's first flight, and frames in a 1-RTT packet behind it, which are there when the client finishes.
  void send_flight_with(ConstBytes frames) {
    peer_->send(Level::initial, peer_->take_flight(Level::initial));
    Frames part = peer_->take_flight(Level::handshake, 1000);
    for (Frames next; !(next = peer_->take_flight(Level::handshake, 1000)).bytes().empty(); part = next) {
      peer_->send(Level::handshake, part);
    }
    peer_->send(std::array{PacketPlan{Level::handshake, part}, PacketPlan{Level::application, frames}});
  }
};
class HostileClientTest : public HostilePeerTest {
 protected:
  /// With a handshake that is complete.
  Peer& established() {
    Peer& peer = hostile_client();
    peer.begin();
    EXPECT_TRUE(
        run_until([&] { return ours_->is_established && peer.frames_seen(hostile::FrameType::handshake_done) > 0; }));
    settle();
    return peer;
  }
  void give_id(Peer& peer) {
    ++sequence_;
    peer.send(Level::application, Frames().new_connection_id(sequence_, 0, static_cast<std::uint8_t>(sequence_)));
  }
  /// From one new port after another: each takes an ID, of which ngtcp2 keeps four and retires the others.
  void probe_paths(Peer& peer, int count) {
    peer.set_acknowledges(false);
    const std::array<std::byte, 8> data{};
    for (int i = 0; i < count; ++i) {
      give_id(peer);
      peer.move();
      peer.send(Level::application, Frames().path_frame(hostile::FrameType::path_challenge, data));
    }
  }

  std::uint64_t sequence_ = 0;  ///< of the ID given last
};

TEST_F(HostileServerTest, left_alone_it_is_a_server) {
  const Peer& peer = hostile_server();
  connect();
  ASSERT_TRUE(run_until([&] { return ours_->is_established && peer.handshake_complete(); }));
  settle();
  EXPECT_FALSE(cause());
}

TEST_F(HostileClientTest, left_alone_it_is_a_client) {
  Peer& peer = hostile_client();
  peer.begin();
  ASSERT_TRUE(run_until([&] { return ours_->is_established && peer.handshake_complete(); }));
  peer.send(Level::application, Frames().stream(0, 0, as_bytes("hello"), true));
  ASSERT_TRUE(run_until([&] { return !ours_->accepted.empty() && ours_->accepted.front().ended; }));
  EXPECT_EQ(ours_->accepted.front().received, "hello");
  EXPECT_FALSE(cause());
}

TEST_F(HostileClientTest, sends_pieces_of_its_handshake_with_gaps_between_them) {
  Peer& peer = hostile_client();
  peer.set_sends_flights(false);
  peer.begin();
  // For each ngtcp2 takes a block of 8 KiB.
  Frames frames = peer.take_flight(Level::initial);
  for (std::uint64_t offset = 4096; offset < std::uint64_t{64} * 1024; offset += std::uint64_t{8} * 1024) {
    frames.crypto(offset, as_bytes("?"));
  }
  peer.send(Level::initial, frames);
  settle();
  ASSERT_TRUE(cause());
  EXPECT_EQ(cause()->kind, CloseCause::Kind::local);
  EXPECT_EQ(ours_->endpoint->counters().handshakes_oversize, 1U);
  EXPECT_EQ(ours_->load.unproven(), 0U);
}

TEST_F(HostileServerTest, retires_its_first_id_before_the_handshake_is_done) {
  Peer& peer = hostile_server();
  peer.transport_parameters()[hostile::TransportParameter::stateless_reset_token].assign(16, std::byte{1});
  peer.set_sends_flights(false);
  connect();
  ASSERT_TRUE(run_until([&] { return peer.can_send(Level::application); }));
  send_flight_with(Frames().new_connection_id(1, 1, 0xaa));
  settle();
  expect_failure("conn->dcid.current.seq == 0");
}

TEST_F(HostileClientTest, says_hello_again_when_asked_for_another_key_share) {
  Peer& peer = hostile_client(true);
  peer.begin();
  ASSERT_TRUE(run_until([&] { return ours_->is_established && peer.handshake_complete(); }));
  settle();
  EXPECT_FALSE(cause());
}

// RFC 9001 section 6: KeyUpdate is an error of type 0x10a. GnuTLS would take it, and ngtcp2 fail.
constexpr std::array kKeyUpdate = {std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
constexpr std::uint64_t kUnexpectedMessage = 0x10a;

TEST_F(HostileServerTest, updates_keys_by_a_message_of_tls) {
  Peer& peer = hostile_server();
  connect();
  ASSERT_TRUE(run_until([&] { return ours_->is_established && peer.handshake_complete(); }));
  settle();
  peer.send(Level::application, peer.forged_crypto(Level::application, kKeyUpdate));
  settle();
  ASSERT_TRUE(cause());
  EXPECT_EQ(cause()->code, kUnexpectedMessage) << cause()->text;
  EXPECT_EQ(peer.close_code(), kUnexpectedMessage);
}

TEST_F(HostileClientTest, updates_keys_by_a_message_of_tls) {
  Peer& peer = established();
  peer.send(Level::application, peer.forged_crypto(Level::application, kKeyUpdate));
  settle();
  ASSERT_TRUE(cause());
  EXPECT_EQ(cause()->code, kUnexpectedMessage) << cause()->text;
  EXPECT_EQ(peer.close_code(), kUnexpectedMessage);
}

TEST_F(HostileClientTest, probes_paths_without_acknowledging_that_its_ids_are_retired) {
  probe_paths(established(), 21);
  settle();
  expect_failure("NGTCP2_ERR_CONN_ID_BLOCKED == rv");
}

TEST_F(HostileClientTest, moves_without_acknowledging_that_its_ids_are_retired) {
  Peer& peer = established();
  ASSERT_GE(peer.connection_ids().size(), 2U);
  probe_paths(peer, 20);  // as many as may be outstanding
  for (const std::size_t id : {0, 1}) {
    give_id(peer);
    peer.set_destination(peer.connection_ids()[id]);
    peer.move();
    peer.send(Level::application, Frames().ping());
  }
  settle();
  expect_failure("NGTCP2_ERR_CONN_ID_BLOCKED == rv");
}

}  // namespace
}  // namespace qmux::quic

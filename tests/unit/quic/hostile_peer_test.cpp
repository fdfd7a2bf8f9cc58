// SPDX-License-Identifier: MIT
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
    EXPECT_TRUE(run_until([&] { return ours_->is_established && peer.frames_seen(hostile::kHandshakeDone) > 0; }));
    settle();
    return peer;
  }
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

TEST_F(HostileServerTest, retires_its_first_id_before_the_handshake_is_done) {
  Peer& peer = hostile_server();
  peer.transport_parameters()[hostile::kStatelessResetToken].assign(16, std::byte{1});
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

TEST_F(HostileServerTest, updates_keys_by_a_message_of_tls) {
  Peer& peer = hostile_server();
  connect();
  ASSERT_TRUE(run_until([&] { return ours_->is_established && peer.handshake_complete(); }));
  settle();
  constexpr std::array kKeyUpdate = {std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
  peer.send(Level::application, peer.forged_crypto(Level::application, kKeyUpdate));
  settle();
  ASSERT_TRUE(cause());
  std::printf("%s\n", cause()->text.c_str());
}

TEST_F(HostileClientTest, updates_keys_by_a_message_of_tls) {
  Peer& peer = established();
  constexpr std::array kKeyUpdate = {std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
  peer.send(Level::application, peer.forged_crypto(Level::application, kKeyUpdate));
  settle();
  ASSERT_TRUE(cause());
  std::printf("%s\n", cause()->text.c_str());
}

TEST_F(HostileClientTest, moves_without_acknowledging_that_its_ids_are_retired) {
  Peer& peer = established();
  peer.set_acknowledges(false);
  std::uint64_t sequence = 0;
  for (std::size_t i = 0; i < 40 && !cause(); ++i) {
    ++sequence;
    peer.send(Level::application, Frames().new_connection_id(sequence, 0, static_cast<std::uint8_t>(sequence)));
    if (i < peer.connection_ids().size()) peer.set_destination(peer.connection_ids()[i]);
    peer.move();
    // With as much padding as lets the server answer on a path that it has not validated.
    peer.send(Level::application, Frames().frame(hostile::kRetireConnectionId, i).fill(1000, hostile::kPadding));
    world_.run_for(std::chrono::milliseconds(12));
    std::printf("%zu ids %zu retired %zu\n", i, peer.connection_ids().size(),
                std::size_t{peer.frames_seen(hostile::kRetireConnectionId)});
  }
  ASSERT_TRUE(cause());
  std::printf("%s\n", cause()->text.c_str());
}

TEST_F(HostileClientTest, probes_paths_without_acknowledging_that_its_ids_are_retired) {
  Peer& peer = established();
  peer.set_acknowledges(false);
  const std::array<std::byte, 8> data{};
  for (std::uint64_t sequence = 1; sequence < 40 && !cause(); ++sequence) {
    peer.send(Level::application, Frames().new_connection_id(sequence, 0, static_cast<std::uint8_t>(sequence)));
    peer.move();
    peer.send(Level::application, Frames().path_frame(hostile::kPathChallenge, data));
  }
  settle();
  ASSERT_TRUE(cause());
  std::printf("%s\n", cause()->text.c_str());
}

}  // namespace
}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/hostile_peer.h"

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
class HostileClientTest : public HostilePeerTest {};

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

}  // namespace
}  // namespace qmux::quic

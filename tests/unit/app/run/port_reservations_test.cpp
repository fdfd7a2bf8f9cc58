// SPDX-License-Identifier: MIT
#include "app/run/port_reservations.h"

#include <gtest/gtest.h>

namespace qmux::app {
namespace {

const Address kAnyPort = *Address::from_literal("127.0.0.1", 0);

TEST(PortReservations, what_is_held_is_shared_and_what_is_let_go_is_free) {
  PortReservations ours;
  PortReservations others;
  auto first = ours.take_quic(kAnyPort);
  ASSERT_TRUE(first);
  EXPECT_NE(first->address.port(), 0);
  auto second = ours.take_quic(first->address);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->hold, first->hold);
  EXPECT_FALSE(others.take_quic(first->address));
  first->hold.reset();
  EXPECT_FALSE(others.take_quic(first->address));
  second->hold.reset();
  EXPECT_TRUE(others.take_quic(first->address));
}

TEST(PortReservations, a_port_for_clients_is_none_for_visitors) {
  PortReservations ours;
  const auto quic = ours.take_quic(kAnyPort);
  ASSERT_TRUE(quic);
  EXPECT_FALSE(ours.take(tunnel::VisitorProtocol::udp, quic->address));
  EXPECT_FALSE(ours.take(tunnel::VisitorProtocol::both, quic->address));
}

TEST(PortReservations, a_listener_for_both_protocols_shares_with_one_for_either) {
  PortReservations ours;
  auto both = ours.take(tunnel::VisitorProtocol::both, kAnyPort);
  ASSERT_TRUE(both);
  for (const auto protocol :
       {tunnel::VisitorProtocol::tcp, tunnel::VisitorProtocol::udp, tunnel::VisitorProtocol::both}) {
    EXPECT_TRUE(ours.take(protocol, both->address));
    EXPECT_FALSE(PortReservations().take(protocol, both->address));
  }
  both->hold.reset();
  EXPECT_TRUE(PortReservations().take(tunnel::VisitorProtocol::both, both->address));
}

}  // namespace
}  // namespace qmux::app

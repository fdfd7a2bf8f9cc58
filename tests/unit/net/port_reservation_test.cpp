// SPDX-License-Identifier: MIT
#include "net/port_reservation.h"

#include <gmock/gmock.h>

#include "net/loop_fixture.h"

namespace qmux::net {
namespace {

class PortReservationTest : public LoopTest, protected io::TcpListener::Events, protected io::DatagramSocket::Events {
 protected:
  void accepted(io::TcpHandle, const Address&, const Address&) override {}
  void datagrams_readable() override {}
  void datagrams_writable() override {}
};

TEST_F(PortReservationTest, picks_a_free_port_which_the_workers_then_share) {
  for (const Address& any : {loopback(), loopback6(), Address::any(AF_INET6, 0)}) {
    const auto tcp = PortReservation::take(Transport::tcp, any);
    ASSERT_TRUE(tcp) << tcp.error().text();
    EXPECT_NE(tcp->address().port(), 0);
    const auto first = loop_.listen_tcp(tcp->address(), true, *this);
    const auto second = loop_.listen_tcp(tcp->address(), true, *this);
    EXPECT_TRUE(first && second);

    const auto udp = PortReservation::take(Transport::udp, any);
    ASSERT_TRUE(udp) << udp.error().text();
    io::DatagramOptions options;
    options.local = udp->address();
    options.shared_port = true;
    const auto third = loop_.open_datagram(options, *this);
    const auto fourth = loop_.open_datagram(options, *this);
    EXPECT_TRUE(third && fourth);
  }
}

TEST_F(PortReservationTest, finds_a_port_taken_even_by_one_who_shares_it) {
  const auto listener = loop_.listen_tcp(loopback(), true, *this);
  ASSERT_TRUE(listener);
  const auto tcp = PortReservation::take(Transport::tcp, (*listener)->local_address());
  ASSERT_FALSE(tcp);
  EXPECT_THAT(tcp.error().text(), testing::HasSubstr("address already in use"));

  io::DatagramOptions options;
  options.local = loopback();
  options.shared_port = true;
  const auto socket = loop_.open_datagram(options, *this);
  ASSERT_TRUE(socket);
  EXPECT_FALSE(PortReservation::take(Transport::udp, (*socket)->local_address()));
}

TEST_F(PortReservationTest, keeps_the_port_before_anything_is_opened_there_and_frees_it_at_its_end) {
  Address where;
  {
    const auto first = PortReservation::take(Transport::udp, loopback());
    ASSERT_TRUE(first);
    where = first->address();
    const auto second = PortReservation::take(Transport::udp, where);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().text(), "cannot listen on udp " + where.text() + ": address already in use");
  }
  EXPECT_TRUE(PortReservation::take(Transport::udp, where));
}

TEST_F(PortReservationTest, says_when_an_address_is_not_this_machines) {
  const auto foreign = PortReservation::take(Transport::tcp, Address::from_literal("192.0.2.1", 0).value());
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().text(), testing::HasSubstr("192.0.2.1"));
}

}  // namespace
}  // namespace qmux::net

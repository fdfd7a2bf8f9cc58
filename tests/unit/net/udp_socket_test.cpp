// SPDX-License-Identifier: MIT
#include "net/udp_socket.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "net/port_reservation.h"
#include "net/socket_options.h"
#include "net/udp_fixture.h"

namespace qmux::net {
namespace {

using io::SendStatus;

class UdpSocket : public UdpTest {};

TEST_F(UdpSocket, carries_a_run_of_packets_and_keeps_their_boundaries) {
  open(a_, loopback());
  open(b_, loopback());
  for (const std::size_t size : {1U, 1200U, 1201U, 12'000U, 65'000U, 50'321U}) {
    b_.arrivals.clear();
    const auto bytes = pattern(size);
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), bytes, 1200)), SendStatus::sent);
    const std::size_t packets = (size + 1199) / 1200;
    ASSERT_TRUE(run_until([&] { return b_.packets() == packets; })) << size;
    std::vector<std::byte> received;
    for (const Arrival& each : b_.arrivals) {
      EXPECT_LE(each.segment_bytes, 1200U);
      EXPECT_EQ(each.remote, a_.socket->local_address());
      EXPECT_EQ(each.local, b_.socket->local_address());
      received.insert(received.end(), each.bytes.begin(), each.bytes.end());
    }
    EXPECT_EQ(received, bytes);
  }
}

TEST_F(UdpSocket, a_wildcard_socket_knows_the_address_that_each_packet_was_sent_to_and_answers_from_it) {
  const auto bytes = pattern(2400);
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.1.2.3"}) {
    open(a_, loopback());
    open(b_, Address::any(AF_INET, 0));
    EXPECT_TRUE(b_.socket->local_address().is_wildcard());
    const Address target = Address::from_literal(host, b_.socket->local_address().port()).value();
    ASSERT_EQ(a_.socket->send(run_to(target, pattern(10), 10)), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return b_.arrivals.size() == 1; }));
    EXPECT_EQ(b_.arrivals[0].local, target);

    io::PacketRun answer = run_to(b_.arrivals[0].remote, bytes, 1200);
    answer.local = b_.arrivals[0].local;
    ASSERT_EQ(b_.socket->send(answer), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return a_.packets() == 2; }));
    EXPECT_EQ(a_.arrivals[0].remote, target);
    a_ = {};
    b_ = {};
  }
}

TEST_F(UdpSocket, an_ipv6_wildcard_socket_takes_both_families_and_answers_from_the_address_that_was_sent_to) {
  const auto bytes = pattern(2400);
  open(b_, Address::any(AF_INET6, 0));
  const std::uint16_t port = b_.socket->local_address().port();
  for (const char* host : {"127.0.0.1", "127.0.0.2", "::1"}) {
    const Address target = Address::from_literal(host, port).value();
    a_ = {};
    b_.arrivals.clear();
    Address local = target;
    local.set_port(0);
    open(a_, local);
    io::PacketRun run = run_to(target, bytes, 1200);
    run.ecn = io::Ecn::ect_0;
    ASSERT_EQ(a_.socket->send(run), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return b_.packets() == 2; }));
    EXPECT_EQ(b_.arrivals[0].local.host_text(), target.host_text());
    EXPECT_EQ(b_.arrivals[0].ecn, io::Ecn::ect_0);

    io::PacketRun answer = run_to(b_.arrivals[0].remote, bytes, 1200);
    answer.local = b_.arrivals[0].local;
    answer.ecn = io::Ecn::ect_1;
    ASSERT_EQ(b_.socket->send(answer), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return a_.packets() == 2; }));
    EXPECT_EQ(a_.arrivals[0].remote, target);
    EXPECT_EQ(a_.arrivals[0].ecn, io::Ecn::ect_1);
  }
}

TEST_F(UdpSocket, carries_the_ecn_field) {
  for (const Address& local : {loopback(), loopback6()}) {
    open(a_, local);
    open(b_, local);
    for (const io::Ecn ecn : {io::Ecn::not_ect, io::Ecn::ect_1, io::Ecn::ect_0, io::Ecn::ce}) {
      b_.arrivals.clear();
      const auto bytes = pattern(10);
      io::PacketRun run = run_to(b_.socket->local_address(), bytes, 10);
      run.ecn = ecn;
      ASSERT_EQ(a_.socket->send(run), SendStatus::sent);
      ASSERT_TRUE(run_until([&] { return !b_.arrivals.empty(); }));
      EXPECT_EQ(b_.arrivals[0].ecn, ecn);
    }
    a_ = {};
    b_ = {};
  }
}

TEST_F(UdpSocket, a_connected_socket_hears_its_peer_alone) {
  open(b_, loopback());
  open(a_, loopback(), b_.socket->local_address());
  Collecting stranger;
  open(stranger, loopback());
  ASSERT_EQ(stranger.socket->send(run_to(a_.socket->local_address(), pattern(3), 3)), SendStatus::sent);
  ASSERT_EQ(b_.socket->send(run_to(a_.socket->local_address(), pattern(7), 7)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return !a_.arrivals.empty(); }));
  ASSERT_EQ(a_.arrivals.size(), 1U);
  EXPECT_EQ(a_.arrivals[0].bytes.size(), 7U);
  EXPECT_FALSE(a_.socket->local_address().is_wildcard());
  ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), pattern(5), 5)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return !b_.arrivals.empty(); }));
}

TEST_F(UdpSocket, carries_packets_without_bytes_one_by_one) {
  open(a_, loopback());
  open(b_, loopback());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), {}, 0)), SendStatus::sent);
  }
  ASSERT_TRUE(run_until([&] { return b_.packets() == 3; }));
  EXPECT_EQ(b_.arrivals.size(), 3U);
  for (const Arrival& each : b_.arrivals) EXPECT_TRUE(each.bytes.empty());
}

TEST_F(UdpSocket, learns_that_a_port_is_closed_and_goes_on) {
  const Address service = closed_port();
  open(a_, Address::any(AF_INET, 0), service);
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::none);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(a_.socket->send(run_to({}, pattern(5), 5)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return a_.notified > 0; }));
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::port);
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::none);

  open(b_, service);
  EXPECT_EQ(a_.socket->send(run_to({}, pattern(7), 7)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 1; }));
  EXPECT_EQ(b_.socket->send(run_to(a_.socket->local_address(), pattern(9), 9)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return a_.packets() == 1; }));
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::none);
}

TEST_F(UdpSocket, a_refusal_does_not_cost_the_packets_that_came_before_it) {
  open(b_, loopback());
  open(a_, loopback(), b_.socket->local_address());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(b_.socket->send(run_to(a_.socket->local_address(), pattern(5), 5)), SendStatus::sent);
  }
  b_.socket.reset();
  ASSERT_EQ(a_.socket->send(run_to({}, pattern(5), 5)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return a_.packets() == 3; }));
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::port);
}

TEST_F(UdpSocket, a_refusal_does_not_keep_the_loop_awake) {
  open(a_, loopback(), closed_port());
  // Notified once, and not again although unreachable() is not called.
  ASSERT_EQ(a_.socket->send(run_to({}, pattern(5), 5)), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return a_.notified > 0; }));
  bool over = false;
  Timer end(loop_.timers(), [&] { over = true; });
  end.set(loop_.now() + std::chrono::milliseconds(20));
  const int before = passes_;
  ASSERT_TRUE(run_until([&] { return over; }));
  EXPECT_LT(passes_ - before, 10);
  EXPECT_EQ(a_.notified, 1);
}

TEST_F(UdpSocket, counts_what_its_buffer_had_no_room_for) {
  constexpr std::size_t kSent = 2000;
  open(a_, loopback());
  io::DatagramOptions options;
  options.local = loopback();
  options.buffer_bytes = 64 * 1024;
  open(b_, options);
  const auto bytes = pattern(1000);
  for (std::size_t i = 0; i < kSent; ++i) {
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), bytes, 1000)), SendStatus::sent);
  }
  ASSERT_TRUE(run_until([&] { return b_.notified > 0; }));
  EXPECT_EQ(b_.socket->overflowed(), 0U);  // nothing has been received since
  ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), bytes, 1000)), SendStatus::sent);
  const std::size_t before = b_.packets();
  ASSERT_TRUE(run_until([&] { return b_.packets() == before + 1; }));
  EXPECT_LT(b_.packets(), kSent);
  EXPECT_EQ(b_.socket->overflowed(), kSent + 1 - b_.packets());
}

TEST_F(UdpSocket, counts_the_packets_that_the_kernel_refuses) {
  open(a_, loopback());
  const auto bytes = pattern(30);
  const auto broadcast = Address::from_literal("255.255.255.255", 9).value();  // EACCES
  EXPECT_EQ(a_.socket->send(run_to(broadcast, bytes, 10)), SendStatus::sent);
  EXPECT_EQ(a_.socket->take_refused(), 3U);
  EXPECT_EQ(a_.socket->take_refused(), 0U);
}

TEST_F(UdpSocket, every_peer_of_a_shared_port_stays_with_one_socket) {
  const auto reservation = PortReservation::take(Transport::udp, loopback());
  ASSERT_TRUE(reservation);
  io::DatagramOptions options;
  options.local = reservation->address();
  options.shared_port = true;
  open(a_, options);
  open(b_, options);
  std::vector<Collecting> peers(40);
  for (int round = 0; round < 2; ++round) {
    for (Collecting& peer : peers) {
      if (!peer.socket) open(peer, loopback());
      ASSERT_EQ(peer.socket->send(run_to(options.local, pattern(2400), 1200)), SendStatus::sent);
    }
  }
  ASSERT_TRUE(run_until([&] { return a_.packets() + b_.packets() == 4 * peers.size(); }));
  for (const Collecting& peer : peers) {
    const auto from_it = [&](const Arrival& arrival) { return arrival.remote == peer.socket->local_address(); };
    EXPECT_NE(std::ranges::any_of(a_.arrivals, from_it), std::ranges::any_of(b_.arrivals, from_it));
  }
  EXPECT_FALSE(a_.arrivals.empty());
  EXPECT_FALSE(b_.arrivals.empty());
}

TEST_F(UdpSocket, says_when_packets_are_longer_than_the_link_takes) {
  open(a_, loopback());
  EXPECT_EQ(a_.socket->send(run_to(loopback(9), pattern(65'508), 65'508)), SendStatus::too_large);
}

TEST_F(UdpSocket, sends_packet_by_packet_where_the_kernel_cannot_segment) {
  open(a_, loopback());
  open(b_, loopback());
  // Without checksums the kernel refuses to segment (EIO), as it does for a device without checksum offload.
  ASSERT_TRUE(set_option(descriptor_bound_to(a_.socket->local_address()), SOL_SOCKET, SO_NO_CHECK, 1));
  const auto bytes = pattern(12'345);
  for (int round = 0; round < 2; ++round) {
    b_.arrivals.clear();
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), bytes, 1200)), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return b_.packets() == 11; }));
    std::vector<std::byte> received;
    for (const Arrival& each : b_.arrivals) received.insert(received.end(), each.bytes.begin(), each.bytes.end());
    EXPECT_EQ(received, bytes);
  }
}

TEST_F(UdpSocket, is_told_again_for_every_arrival) {
  open(a_, loopback());
  open(b_, loopback());
  const auto bytes = pattern(100);
  for (int i = 1; i <= 5; ++i) {
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), bytes, 100)), SendStatus::sent);
    ASSERT_TRUE(run_until([&] { return b_.notified == i; }));
  }
  EXPECT_EQ(b_.arrivals.size(), 5U);
}

TEST_F(UdpSocket, takes_a_long_queue_in_batches) {
  open(a_, loopback());
  open(b_, loopback());
  // Different sizes do not merge: each is a run of its own.
  const auto bytes = pattern(1000);
  for (std::size_t i = 0; i < 50; ++i) {
    const ConstBytes part = ConstBytes(bytes).first(100 + i);
    ASSERT_EQ(a_.socket->send(run_to(b_.socket->local_address(), part, part.size())), SendStatus::sent);
  }
  ASSERT_TRUE(run_until([&] { return b_.arrivals.size() == 50; }));
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(b_.arrivals[i].bytes.size(), 100 + i);
}

TEST_F(UdpSocket, a_port_in_use_is_an_error_that_names_it) {
  open(a_, loopback());
  io::DatagramOptions options;
  options.local = a_.socket->local_address();
  const auto second = loop_.open_datagram(options, b_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), testing::HasSubstr(options.local.text()));
  EXPECT_THAT(second.error().text(), testing::HasSubstr("address already in use"));
}

}  // namespace
}  // namespace qmux::net

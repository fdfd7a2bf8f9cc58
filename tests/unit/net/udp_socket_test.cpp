// SPDX-License-Identifier: MIT
#include "net/udp_socket.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "net/loop_fixture.h"
#include "net/socket_options.h"

namespace qmux::net {
namespace {

using io::SendStatus;

/// Copies out of each arrival what the tests ask about.
struct Arrival {
  Address local;
  Address remote;
  std::vector<std::byte> bytes;
  std::size_t segment_bytes;
  io::Ecn ecn;
};

struct Collecting final : io::DatagramSocket::Observer {
  void datagrams_readable() override {
    ++told;
    for (;;) {
      io::PacketRun runs[16];
      const std::size_t count = socket->receive(runs);
      if (count == 0) return;
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        arrivals.push_back({run.local, run.remote, {run.bytes.begin(), run.bytes.end()}, run.segment_bytes, run.ecn});
      }
    }
  }
  void datagrams_writable() override { ++writable; }

  [[nodiscard]] std::size_t packets() const {
    std::size_t count = 0;
    for (const Arrival& each : arrivals) count += (each.bytes.size() + each.segment_bytes - 1) / each.segment_bytes;
    return count;
  }

  std::unique_ptr<io::DatagramSocket> socket;
  std::vector<Arrival> arrivals;
  int told = 0;
  int writable = 0;
};

class UdpSocket : public LoopTest {
 protected:
  void open(Collecting& end, const Address& local, const Address& remote = {}) {
    io::DatagramOptions options;
    options.local = local;
    options.remote = remote;
    auto socket = loop_.open_datagram(options, end);
    ASSERT_TRUE(socket) << socket.error().text();
    end.socket = std::move(*socket);
  }

  static std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 256);
    return bytes;
  }

  /// The descriptor behind a socket of this process; -1 when there is none.
  static int descriptor_bound_to(const Address& local) {
    for (int fd = 0; fd < 1024; ++fd) {
      if (bound_address(fd) == local) return fd;
    }
    return -1;
  }

  static io::PacketRun run_to(const Address& remote, ConstBytes bytes, std::size_t segment_bytes) {
    io::PacketRun run;
    run.remote = remote;
    run.bytes = bytes;
    run.segment_bytes = segment_bytes;
    return run;
  }

  Collecting a_;
  Collecting b_;
};

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

TEST_F(UdpSocket, an_ipv6_wildcard_socket_takes_both_families) {
  const auto bytes = pattern(2400);
  open(b_, Address::any(AF_INET6, 0));
  const std::uint16_t port = b_.socket->local_address().port();
  for (const Address& target : {loopback(port), loopback6(port)}) {
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

TEST_F(UdpSocket, a_refused_packet_is_a_lost_packet) {
  Address nobody;
  {
    Collecting gone;
    open(gone, loopback());
    nobody = gone.socket->local_address();
  }
  open(a_, loopback(), nobody);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(a_.socket->send(run_to(nobody, pattern(5), 5)), SendStatus::sent);
  io::PacketRun runs[4];
  EXPECT_EQ(a_.socket->receive(runs), 0U);
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
    ASSERT_TRUE(run_until([&] { return b_.told == i; }));
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

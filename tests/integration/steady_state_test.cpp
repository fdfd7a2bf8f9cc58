// SPDX-License-Identifier: MIT
//
// What a server and a client do in the long run: traffic, by TCP and by UDP, without allocating.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "integration/allocation_counter.h"
#include "integration/tunnel_pair.h"

namespace qmux::integration {
namespace {

using asio::ip::tcp;
using asio::ip::udp;
using namespace std::chrono_literals;

class SteadyState : public testing::Test {
 protected:
  void SetUp() override {
    if (!counts_allocations()) GTEST_SKIP() << "a sanitizer has replaced the allocator";
  }

  asio::io_context context_;
};

TEST_F(SteadyState, tcp_allocates_nothing_per_packet) {
  tcp::acceptor service(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  TunnelPair pair(TunnelPair::Carries::tcp, service.local_endpoint().port());

  // The server keeps the visitor until the client has come.
  tcp::socket visitor(context_);
  visitor.connect(tcp::endpoint(asio::ip::address_v4::loopback(), pair.traffic_port()));
  tcp::socket local = service.accept();
  std::vector<char> block(256 * 1024, 'x');
  const auto transfer = [&](tcp::socket& from, tcp::socket& to, std::size_t bytes) {
    const std::size_t blocks = bytes / block.size();
    std::jthread sender([&] {
      for (std::size_t i = 0; i < blocks; ++i) asio::write(from, asio::buffer(block));
    });
    std::vector<char> sink(block.size());
    for (std::size_t i = 0; i < blocks; ++i) asio::read(to, asio::buffer(sink));
  };
  constexpr std::size_t kWarmUpBytes = std::size_t{64} << 20U;
  constexpr std::size_t kBytes = std::size_t{128} << 20U;
  transfer(visitor, local, kWarmUpBytes);
  transfer(local, visitor, kWarmUpBytes);
  const std::uint64_t before = pair.allocations();
  transfer(visitor, local, kBytes);
  transfer(local, visitor, kBytes);
  const std::uint64_t allocated = pair.allocations() - before;
  // Windows still grow now and then, and timers and keys are renewed: next to nothing, but not nothing.
  const std::uint64_t packets = 2 * kBytes / TunnelPair::kPacketBytes;
  RecordProperty("allocations", std::to_string(allocated));
  EXPECT_LT(allocated, packets / 200) << "for at least " << packets << " packets";
}

/// Payloads back and forth between a visitor and a local service.
class UdpSteadyState : public SteadyState {
 protected:
  UdpSteadyState() : service_(context_, loopback(0)), visitor_(context_, loopback(0)) {
    for (udp::socket* socket : {&service_, &visitor_}) {
      const timeval patience{.tv_sec = 0, .tv_usec = 200'000};
      setsockopt(socket->native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
  }

  /// Until the client has come and the visitor has a session.
  void join(const TunnelPair& pair) {
    traffic_ = loopback(pair.traffic_port());
    const auto until = std::chrono::steady_clock::now() + 20s;
    const std::vector<char> first(1, 'x');
    do {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      visitor_.send_to(asio::buffer(first), traffic_);
    } while (receive(service_, client_) == 0);
  }
  /// How many of `count` payloads arrived, this way and back.
  std::size_t exchange(std::size_t count, std::size_t bytes) {
    return one_way(visitor_, traffic_, service_, count, bytes) + one_way(service_, client_, visitor_, count, bytes);
  }

 private:
  static udp::endpoint loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

  /// 0: nothing came in time.
  std::size_t receive(udp::socket& socket, udp::endpoint& from) {
    // Not by Asio, which waits for ever.
    socklen_t size = static_cast<socklen_t>(from.capacity());
    const ssize_t got = recvfrom(socket.native_handle(), buffer_.data(), buffer_.size(), 0, from.data(), &size);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  /// As many on the way at a time as every queue holds.
  std::size_t one_way(udp::socket& from, const udp::endpoint& to, udp::socket& at, std::size_t count,
                      std::size_t bytes) {
    const std::size_t at_once = std::clamp<std::size_t>(100'000 / bytes, 1, 64);
    const std::vector<char> payload(bytes, 'x');
    std::size_t arrived = 0;
    udp::endpoint sender;
    for (std::size_t sent = 0; sent < count; sent += at_once) {
      for (std::size_t i = 0; i < at_once; ++i) from.send_to(asio::buffer(payload), to);
      for (std::size_t i = 0; i < at_once && receive(at, sender) == bytes; ++i) ++arrived;
    }
    return arrived;
  }

  udp::socket service_;
  udp::socket visitor_;
  udp::endpoint traffic_;
  udp::endpoint client_;  ///< as the service sees the visitor
  std::array<char, 65536> buffer_{};

 protected:
  [[nodiscard]] std::uint16_t service_port() const { return service_.local_endpoint().port(); }
};

TEST_F(UdpSteadyState, udp_allocates_nothing_per_packet) {
  TunnelPair pair(TunnelPair::Carries::udp, service_port());
  ASSERT_NO_FATAL_FAILURE(join(pair));
  constexpr std::size_t kCount = 20'000;
  // Whole, as large as a packet takes, and in parts.
  for (const std::size_t bytes : {64, 1200, 1400, 9000}) {
    exchange(kCount / 4, bytes);
    const std::uint64_t before = pair.allocations();
    const std::size_t arrived = exchange(kCount, bytes);
    const std::uint64_t allocated = pair.allocations() - before;
    EXPECT_GT(arrived, kCount) << "of twice as many";
    EXPECT_LT(allocated, arrived / 200) << "for " << arrived << " payloads of " << bytes << " bytes";
    RecordProperty("allocations_" + std::to_string(bytes), std::to_string(allocated));
  }
}

}  // namespace
}  // namespace qmux::integration

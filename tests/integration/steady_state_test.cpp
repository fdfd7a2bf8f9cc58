// SPDX-License-Identifier: MIT
//
// A real server and a real client on two threads, joined by loopback: what they do in the long run.
#include <gtest/gtest.h>

#include <array>
#include <asio.hpp>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/allocation_counter.h"
#include "net/event_loop.h"
#include "tunnel/client.h"
#include "tunnel/server.h"

namespace qmux {
namespace {

using asio::ip::tcp;

std::unique_ptr<quic::Credentials> credentials(const std::string& name, quic::Credentials::Purpose purpose) {
  const std::string fixtures = std::string(QMUX_FIXTURES) + "/";
  auto loaded =
      quic::Credentials::load({fixtures + name + ".crt", fixtures + name + ".key", fixtures + "ca.crt"}, purpose);
  return loaded ? std::move(*loaded) : nullptr;
}

/// Runs an event loop on a thread, and reads that thread's allocation count there when asked to.
class LoopThread {
 public:
  explicit LoopThread(net::AsioEventLoop& loop) : loop_(loop), thread_([this] { run(); }) {}
  ~LoopThread() { end(); }
  void end() {
    over_ = true;
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t allocations() {
    read_ = false;
    loop_.stop();  // run() returns, reads, and goes on
    read_.wait(false);
    return allocations_;
  }

 private:
  void run() {
    while (!over_) {
      loop_.run();
      allocations_ = integration::allocation_count();
      read_ = true;
      read_.notify_all();
    }
  }
  net::AsioEventLoop& loop_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> read_ = true;
  std::atomic<std::uint64_t> allocations_ = 0;
  std::thread thread_;
};

TEST(SteadyState, traffic_allocates_nothing_per_packet) {
  if (!integration::counts_allocations()) GTEST_SKIP() << "a sanitizer has replaced the allocator";
  constexpr std::size_t kPacketBytes = 1452;
  const auto server_credentials = credentials("server", quic::Credentials::Purpose::server);
  const auto client_credentials = credentials("client", quic::Credentials::Purpose::client);
  ASSERT_TRUE(server_credentials && client_credentials);
  asio::io_context context;
  tcp::acceptor service(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));

  auto server_loop = *net::AsioEventLoop::make();
  tunnel::ServerOptions server_options;
  server_options.listeners.resize(1);
  server_options.listeners[0].quic_address = server_options.listeners[0].traffic_address =
      *Address::parse("127.0.0.1:0");
  server_options.listeners[0].transport.udp_payload_max_bytes = kPacketBytes;
  server_options.credentials = server_credentials.get();
  tunnel::Server server(server_options, {server_loop.get()}, [] {});
  const auto started = server.start();
  ASSERT_TRUE(started) << started.error().text();

  auto client_loop = *net::AsioEventLoop::make();
  tunnel::ClientOptions client_options;
  client_options.client_id = "steady";
  client_options.servers.push_back({{"127.0.0.1", server.quic_address(0).port()}, "127.0.0.1"});
  client_options.local = {"127.0.0.1", service.local_endpoint().port()};
  client_options.credentials = client_credentials.get();
  client_options.transport.udp_payload_max_bytes = kPacketBytes;
  client_options.transport.incoming_streams_max = 100;
  tunnel::Client client(client_options, {client_loop.get()}, [] {});
  client.start();
  {
    LoopThread server_thread(*server_loop);
    LoopThread client_thread(*client_loop);

    // The server keeps the visitor until the client has come.
    tcp::socket visitor(context);
    visitor.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server.traffic_address(0).port()));
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
    const std::uint64_t before = server_thread.allocations() + client_thread.allocations();
    transfer(visitor, local, kBytes);
    transfer(local, visitor, kBytes);
    const std::uint64_t allocated = server_thread.allocations() + client_thread.allocations() - before;
    // Windows still grow now and then, and timers and keys are renewed: next to nothing, but not nothing.
    const std::uint64_t packets = 2 * kBytes / kPacketBytes;
    RecordProperty("allocations", std::to_string(allocated));
    EXPECT_LT(allocated, packets / 200) << "for at least " << packets << " packets";
  }
}

}  // namespace
}  // namespace qmux

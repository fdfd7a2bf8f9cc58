// SPDX-License-Identifier: MIT
//
// A real server and a real client on a thread each, joined by loopback, whose allocations can be counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "net/event_loop.h"
#include "tunnel/client/client.h"
#include "tunnel/server/server.h"

namespace qmux::integration {

/// Runs an event loop on a thread, and reads that thread's allocation count there when asked to.
class LoopThread {
 public:
  explicit LoopThread(net::AsioEventLoop& loop);
  ~LoopThread();

  [[nodiscard]] std::uint64_t allocations();

 private:
  void run();

  net::AsioEventLoop& loop_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> read_ = true;
  std::atomic<std::uint64_t> allocations_ = 0;
  std::thread thread_;
};

class TunnelPair {
 public:
  /// The packets of an Ethernet: as many for a given amount of bytes as there may be.
  static constexpr std::size_t kPacketBytes = 1452;

  enum class Carries : std::uint8_t { tcp, udp };

  TunnelPair(Carries what, std::uint16_t service_port);

  [[nodiscard]] std::uint16_t traffic_port() const { return server_->traffic_address(0).port(); }
  /// Of both threads so far.
  [[nodiscard]] std::uint64_t allocations() { return server_thread_->allocations() + client_thread_->allocations(); }

 private:
  std::shared_ptr<const quic::Credentials> server_credentials_;
  std::shared_ptr<const quic::Credentials> client_credentials_;
  std::unique_ptr<net::AsioEventLoop> server_loop_;
  std::unique_ptr<net::AsioEventLoop> client_loop_;
  std::unique_ptr<tunnel::Server> server_;
  std::unique_ptr<tunnel::Client> client_;
  std::unique_ptr<LoopThread> server_thread_;
  std::unique_ptr<LoopThread> client_thread_;
};

}  // namespace qmux::integration

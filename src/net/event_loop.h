// SPDX-License-Identifier: MIT
//
// The event loop over the kernel: one pass is one wait and one timestamp, then the ready sockets, the due timers and the pass
// observer. It uses Asio (epoll).
//
// Belongs to the thread that calls run(); sockets may be opened on another thread before run() begins. Only
// wake() and stop() may be called from elsewhere. Outlives everything opened on it.
#pragma once

#include <atomic>
#include <memory>

#include "base/io/event_loop.h"
#include "net/loop_timer.h"
#include "net/loop_waker.h"
#include "net/network_watch.h"
#include "net/os_random.h"
#include "net/reactor.h"
#include "net/udp_inbox.h"

namespace qmux::net {

class AsioEventLoop final : public io::EventLoop {
 public:
  /// Fails when the process has no descriptors left.
  [[nodiscard]] static Result<std::unique_ptr<AsioEventLoop>> make();

  /// Runs passes until stop(). May be called again.
  void run();
  /// Any thread. run() returns when the current pass has ended, or at once in its next call.
  void stop() noexcept;

  [[nodiscard]] Time now() const noexcept override { return now_; }
  [[nodiscard]] Time clock() const noexcept override;
  [[nodiscard]] std::int64_t unix_seconds() const noexcept override;
  [[nodiscard]] Random& random() noexcept override { return random_; }
  [[nodiscard]] TimerQueue& timers() noexcept override { return timers_; }
  void set_pass_events(PassEvents* events) noexcept override { pass_events_ = events; }
  void request_pass() noexcept override { pass_requested_ = true; }
  void wake() noexcept override { waker_.wake(); }
  void set_wake_handler(std::move_only_function<void()> handler) override;

  void set_network_events(NetworkEvents* events) override;

  [[nodiscard]] Result<std::unique_ptr<io::DatagramSocket>> open_datagram(const io::DatagramOptions& options,
                                                                          io::DatagramSocket::Events& events) override;
  [[nodiscard]] Result<std::unique_ptr<io::TcpListener>> listen_tcp(const Address& local, bool shared_port,
                                                                    io::TcpListener::Events& events) override;
  [[nodiscard]] Result<std::unique_ptr<io::TcpSocket>> connect_tcp(const Address& remote) override;
  [[nodiscard]] std::unique_ptr<io::TcpSocket> adopt_tcp(io::TcpHandle handle) override;
  [[nodiscard]] std::unique_ptr<io::Resolution> resolve(const HostPort& host, Resolved done) override;

  /// For other descriptors that the process watches (signals).
  [[nodiscard]] Reactor& reactor() noexcept { return reactor_; }

 private:
  AsioEventLoop();
  void run_pass();

  Reactor reactor_;
  UdpInbox udp_inbox_;
  LoopTimer timer_;
  LoopWaker waker_;
  OsRandom random_;
  TimerQueue timers_;
  std::unique_ptr<NetworkWatch> network_watch_;
  PassEvents* pass_events_ = nullptr;
  Time now_;
  bool pass_requested_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace qmux::net

// SPDX-License-Identifier: MIT
#include "net/event_loop.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "net/resolver.h"
#include "net/tcp_listener.h"
#include "net/tcp_socket.h"
#include "net/udp_socket.h"

namespace qmux::net {
namespace {

Time read_clock() noexcept {
  return Time(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

AsioEventLoop::AsioEventLoop() : timer_(reactor_), waker_(reactor_), now_(read_clock()) {}

Result<std::unique_ptr<AsioEventLoop>> AsioEventLoop::make() {
  try {
    return std::unique_ptr<AsioEventLoop>(new AsioEventLoop());
  } catch (const std::system_error& error) {
    return fail(std::string("cannot make an event loop: ") + error.what());
  }
}

void AsioEventLoop::run() {
  // The kernel timer does not include the timers set since the last pass.
  pass_requested_ = true;
  while (!stopping_.exchange(false)) run_pass();
}

void AsioEventLoop::stop() noexcept {
  stopping_.store(true);
  waker_.wake();
}

void AsioEventLoop::run_pass() {
  reactor_.collect(!std::exchange(pass_requested_, false));
  now_ = std::max(now_, read_clock());
  reactor_.dispatch();
  timers_.expire(now_);
  if (pass_events_ != nullptr) pass_events_->end_of_pass(now_);

  const Time next = timers_.next();
  if (next <= now_) {
    pass_requested_ = true;
  } else {
    timer_.wake_at(next);
  }
}

Time AsioEventLoop::clock() const noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::int64_t AsioEventLoop::unix_seconds() const noexcept {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
}

void AsioEventLoop::set_wake_handler(std::move_only_function<void()> handler) {
  waker_.set_handler(std::move(handler));
}

void AsioEventLoop::set_network_events(NetworkEvents* events) {
  network_watch_ = events != nullptr ? std::make_unique<NetworkWatch>(*this, *events) : nullptr;
}

Result<std::unique_ptr<io::DatagramSocket>> AsioEventLoop::open_datagram(const io::DatagramOptions& options,
                                                                         io::DatagramSocket::Events& events) {
  return UdpSocket::open(reactor_, udp_inbox_, options, events);
}

Result<std::unique_ptr<io::TcpListener>> AsioEventLoop::listen_tcp(const Address& local, bool shared_port,
                                                                   io::TcpListener::Events& events) {
  return KernelTcpListener::open(*this, local, shared_port, events);
}

Result<std::unique_ptr<io::TcpSocket>> AsioEventLoop::connect_tcp(const Address& remote) {
  return KernelTcpSocket::connect(*this, remote);
}

std::unique_ptr<io::TcpSocket> AsioEventLoop::adopt_tcp(io::TcpHandle handle) {
  return KernelTcpSocket::adopt(*this, std::move(handle));
}

std::unique_ptr<io::Resolution> AsioEventLoop::resolve(const HostPort& host, Resolved done) {
  return look_up(*this, host, std::move(done));
}

}  // namespace qmux::net

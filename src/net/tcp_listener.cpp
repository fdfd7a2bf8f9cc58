// SPDX-License-Identifier: MIT
#include "net/tcp_listener.h"

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>

#include "base/log.h"
#include "net/event_loop.h"
#include "net/file_descriptor.h"
#include "net/socket_options.h"
#include "net/tcp_socket.h"

namespace qmux::net {
namespace {

/// Visitors accepted before others get their turn.
constexpr int kAcceptsPerPassMax = 64;
/// Accepted at the end: more than a queue holds.
constexpr int kWaitingMax = 2 * SOMAXCONN;
constexpr Duration kPause = std::chrono::milliseconds(100);
constexpr Duration kPauseLogInterval = std::chrono::minutes(1);

bool out_of_resources(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// All listeners of the process run out together. One of them logs it, once an interval.
bool may_log_pause(Time now) noexcept {
  static std::atomic<Duration::rep> next{0};
  Duration::rep due = next.load();
  const Duration::rep at = now.time_since_epoch().count();
  return at >= due && next.compare_exchange_strong(due, at + kPauseLogInterval.count());
}

}  // namespace

KernelTcpListener::KernelTcpListener(AsioEventLoop& loop, io::TcpListener::Events& events)
    : loop_(loop),
      events_(events),
      descriptor_(loop.reactor(), *this),
      resume_(loop.timers(), [this] { descriptor_.arm(Readiness::read); }) {}

KernelTcpListener::~KernelTcpListener() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

Result<std::unique_ptr<io::TcpListener>> KernelTcpListener::open(AsioEventLoop& loop, const Address& local,
                                                                 bool shared_port, io::TcpListener::Events& events) {
  const auto failed = [&](int code) { return fail("cannot listen on tcp " + local.text() + ": " + errno_text(code)); };
  FileDescriptor fd(::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return failed(errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_tcp_options(fd.get());
  if (local.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (shared_port && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return failed(errno);
  if (::bind(fd.get(), local.raw(), local.raw_length()) != 0) return failed(errno);
  if (::listen(fd.get(), SOMAXCONN) != 0) return failed(errno);

  std::unique_ptr<KernelTcpListener> listener(new KernelTcpListener(loop, events));
  listener->local_ = bound_address(fd.get());
  if (auto opened = listener->descriptor_.open(fd.release()); !opened) return std::unexpected(opened.error());
  listener->descriptor_.arm(Readiness::read);
  return listener;
}

std::optional<io::TcpListener::Waiting> KernelTcpListener::accept_one() const {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  FileDescriptor fd(
      ::accept4(descriptor_.fd(), reinterpret_cast<sockaddr*>(&raw), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  const Address local = local_.is_wildcard() ? bound_address(fd.get()) : local_;
  return Waiting{.handle = tcp_handle(std::move(fd)),
                 .remote = Address(reinterpret_cast<const sockaddr*>(&raw), length),
                 .local = local};
}

std::vector<io::TcpListener::Waiting> KernelTcpListener::take_waiting() {
  std::vector<Waiting> taken;
  for (int count = 0; count < kWaitingMax; ++count) {
    if (auto waiting = accept_one()) {
      taken.push_back(std::move(*waiting));
    } else if (errno == EAGAIN || out_of_resources(errno)) {
      break;
    }
  }
  return taken;
}

void KernelTcpListener::ready(Readiness) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int count = 0; count < kAcceptsPerPassMax; ++count) {
    if (auto waiting = accept_one()) {
      events_.accepted(std::move(waiting->handle), waiting->remote, waiting->local);
      if (destroyed) return;
      continue;
    }
    const int error = errno;
    if (out_of_resources(error)) {
      pause(error);
    } else if (error == EAGAIN) {
      descriptor_.arm(Readiness::read);
    } else {
      continue;  // this visitor is gone already (ECONNABORTED and the network errors of accept(2))
    }
    destroyed_ = nullptr;
    return;
  }
  destroyed_ = nullptr;
  descriptor_.post(Readiness::read);
}

void KernelTcpListener::pause(int error) {
  resume_.set(loop_.now() + kPause);
  if (may_log_pause(loop_.now())) {
    log::warn("accepting paused: raise the limit of open files",
              {{"traffic", local_.text()}, {"cause", errno_text(error)}});
  }
}

}  // namespace qmux::net

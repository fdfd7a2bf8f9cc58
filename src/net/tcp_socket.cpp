// SPDX-License-Identifier: MIT
#include "net/tcp_socket.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "net/event_loop.h"
#include "net/socket_options.h"
#include "net/tcp_keep_alive.h"

namespace qmux::net {
namespace {

/// Spans moved by one system call; a longer list is moved in part, which every caller handles.
constexpr std::size_t kSpansMax = 64;

template <typename Bytes>
std::size_t to_iovecs(std::span<const Bytes> spans, std::array<iovec, kSpansMax>& out, std::size_t& bytes) {
  const std::size_t count = std::min(spans.size(), out.size());
  bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = {const_cast<std::byte*>(spans[i].data()), spans[i].size()};
    bytes += spans[i].size();
  }
  return count;
}

/// Whether close() sends RST and drops what was not sent, or FIN after it. Every connection begins with the first and gets the
/// second once it has ended in order. So the kernel also resets the connections of a process that is killed.
void reset_on_close(int fd, bool on) noexcept {
  const linger immediately{on ? 1 : 0, 0};
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately));
}

void close_with_reset(int fd) noexcept {
  reset_on_close(fd, true);
  ::close(fd);
}

int take_error(int fd) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace

io::TcpHandle tcp_handle(FileDescriptor fd) noexcept { return {fd.release(), &close_with_reset}; }

KernelTcpSocket::KernelTcpSocket(AsioEventLoop& loop) noexcept : loop_(loop), descriptor_(loop.reactor(), *this) {}

Result<std::unique_ptr<io::TcpSocket>> KernelTcpSocket::connect(AsioEventLoop& loop, const Address& remote) {
  const auto failed = [&](int code) { return fail("cannot connect to " + remote.text() + ": " + errno_text(code)); };
  FileDescriptor fd(::socket(remote.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return failed(errno);
  set_tcp_options(fd.get());
  reset_on_close(fd.get(), true);
  if (::connect(fd.get(), remote.raw(), remote.raw_length()) != 0 && errno != EINPROGRESS) return failed(errno);

  std::unique_ptr<KernelTcpSocket> socket(new KernelTcpSocket(loop));
  if (auto opened = socket->descriptor_.open(fd.release()); !opened) return std::unexpected(opened.error());
  socket->connecting_ = true;
  socket->writable_ = false;
  return socket;
}

std::unique_ptr<io::TcpSocket> KernelTcpSocket::adopt(AsioEventLoop& loop, io::TcpHandle handle) {
  CHECK(handle.valid());
  std::unique_ptr<KernelTcpSocket> socket(new KernelTcpSocket(loop));
  const int fd = handle.release();
  reset_on_close(fd, true);
  if (!socket->descriptor_.open(fd)) socket->reset_ = true;
  return socket;
}

KernelTcpSocket::~KernelTcpSocket() {
  if (descriptor_.is_open() && read_ended_ && write_ended_) reset_on_close(descriptor_.fd(), false);
}

io::IoResult KernelTcpSocket::read(std::span<const MutableBytes> into) {
  if (reset_) return gone();
  if (read_ended_) return {io::IoStatus::end};
  std::array<iovec, kSpansMax> vectors;
  std::size_t room = 0;
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = to_iovecs(into, vectors, room);
  CHECK(room > 0);

  ssize_t count = 0;
  do {
    count = ::recvmsg(descriptor_.fd(), &message, 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    urgent_ = false;
    readable_ = static_cast<std::size_t>(count) == room;
    return {io::IoStatus::done, static_cast<std::size_t>(count)};
  }
  if (count == 0 && cut_) return gone();
  if (count == 0) {
    read_ended_ = true;
    return {io::IoStatus::end};
  }
  if (errno != EAGAIN || lost_) return gone();
  readable_ = false;
  return {io::IoStatus::would_block};
}

io::IoResult KernelTcpSocket::write(std::span<const ConstBytes> from) {
  if (reset_ || lost_) return {io::IoStatus::reset};
  std::array<iovec, kSpansMax> vectors;
  std::size_t offered = 0;
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = to_iovecs(from, vectors, offered);
  CHECK(offered > 0 && !write_ended_);

  ssize_t count = 0;
  do {
    count = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    writable_ = static_cast<std::size_t>(count) == offered;
    expect_answer();
    return {io::IoStatus::done, static_cast<std::size_t>(count)};
  }
  if (count < 0 && errno != EAGAIN && errno != ENOBUFS) {
    lose(errno);
    reset_reported_ = true;
    return {io::IoStatus::reset};
  }
  writable_ = false;
  return {io::IoStatus::would_block};
}

void KernelTcpSocket::shutdown_write() {
  if (reset_ || std::exchange(write_ended_, true)) return;
  // Fails only where the connection is already lost, which the next read or watch() detects.
  static_cast<void>(::shutdown(descriptor_.fd(), SHUT_WR));
  expect_answer();
}

void KernelTcpSocket::abort() {
  descriptor_.close();
  answer_watch_.reset();
  events_ = nullptr;
  reset_ = true;
}

void KernelTcpSocket::watch(io::Interest interest, io::TcpSocketEvents* events) {
  interest_ = interest;
  if (std::exchange(events_, events) != events) reset_reported_ = false;
  if (events == nullptr || !descriptor_.is_open()) return;
  if (reset_) {
    if (!reset_reported_) descriptor_.post(Readiness::error);
    return;
  }
  if (lost_ && !reset_reported_) descriptor_.post(Readiness::error);
  if (has(interest, io::Interest::read)) {
    readable_ || lost_ ? descriptor_.post(Readiness::read) : descriptor_.arm(Readiness::read);
  }
  if (has(interest, io::Interest::write)) {
    writable_ || lost_ ? descriptor_.post(Readiness::write) : descriptor_.arm(Readiness::write);
  }
  // Stays armed for the life of the connection: a reset is reported whatever the interest.
  if (!urgent_ && !lost_) descriptor_.arm(Readiness::error);
}

void KernelTcpSocket::ready(Readiness readiness) {
  switch (readiness) {
    case Readiness::error:
      return look_for_reset();
    case Readiness::read:
      readable_ = true;
      return notify_readable();
    case Readiness::write:
      if (connecting_ && !finish_connecting()) return descriptor_.arm(Readiness::write);
      writable_ = true;
      return notify_writable();
  }
}

void KernelTcpSocket::notify_readable() {
  if (events_ == nullptr || !has(interest_, io::Interest::read)) return;
  interest_ = has(interest_, io::Interest::write) ? io::Interest::write : io::Interest::none;
  events_->socket_readable();
}

void KernelTcpSocket::notify_writable() {
  if (events_ == nullptr || !has(interest_, io::Interest::write)) return;
  interest_ = has(interest_, io::Interest::read) ? io::Interest::read : io::Interest::none;
  events_->socket_writable();
}

void KernelTcpSocket::notify_reset() {
  if (events_ == nullptr || std::exchange(reset_reported_, true)) return;
  events_->socket_reset();
}

void KernelTcpSocket::look_for_reset() {
  if (reset_ || lost_) return notify_reset();
  // An observer that waits to read or write is notified of that readiness. It detects the reset after the last byte received
  // before it.
  if (interest_ != io::Interest::none) return;
  if (const int error = take_error(descriptor_.fd()); error != 0) {
    lose(error);
    return notify_reset();
  }
  // A hang-up after FIN both ways is reported once. Urgent data is reported as long as it is unread.
  urgent_ = true;
}

io::IoResult KernelTcpSocket::gone() noexcept {
  reset_ = true;
  reset_reported_ = true;
  return {io::IoStatus::reset};
}

/// `error`: the kernel's error, which it reports once. From then on a read gives the data received before, and then an end. After
/// FIN the error is EPIPE, and the end is a real one.
void KernelTcpSocket::lose(int error) noexcept {
  lost_ = true;
  cut_ = error != EPIPE;
}

bool KernelTcpSocket::finish_connecting() noexcept {
  pollfd state{descriptor_.fd(), POLLOUT, 0};
  if (::poll(&state, 1, 0) == 0) return false;
  connecting_ = false;
  // Otherwise Asio would make the kernel announce room to write from then on, at every arming of the reading side.
  if (!descriptor_.open(descriptor_.release())) {
    reset_ = true;
    return true;
  }
  descriptor_.arm(Readiness::error);
  if (has(interest_, io::Interest::read)) descriptor_.arm(Readiness::read);
  return true;
}

void KernelTcpSocket::keep_alive(Duration idle) {
  if (!descriptor_.is_open()) return;
  set_tcp_keep_alive(descriptor_.fd(), idle);
  answer_watch_.reset(new AnswerWatch{.interval = idle, .due = {loop_.timers(), [this] { look_for_answer(); }}});
}

void KernelTcpSocket::expect_answer() {
  if (answer_watch_ != nullptr && !answer_watch_->due.is_set()) {
    answer_watch_->due.set(loop_.now() + answer_watch_->interval);
  }
}

void KernelTcpSocket::look_for_answer() {
  if (reset_ || lost_ || unacknowledged_bytes() == 0) return;
  if (!tcp_is_unanswered(descriptor_.fd(), answer_watch_->interval * (1 + limits::kTcpProbesMax))) {
    expect_answer();
    return;
  }
  lost_ = true;
  notify_reset();
}

std::size_t KernelTcpSocket::unacknowledged_bytes() const {
  int bytes = 0;
  if (!descriptor_.is_open() || ::ioctl(descriptor_.fd(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

std::optional<std::string> KernelTcpSocket::connect_error() {
  if (!descriptor_.is_open()) return "aborted";
  const int error = take_error(descriptor_.fd());
  if (error == 0) return std::nullopt;
  static_cast<void>(gone());
  return errno_text(error);
}

Address KernelTcpSocket::local_address() const { return bound_address(descriptor_.fd()); }

Address KernelTcpSocket::remote_address() const {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  if (::getpeername(descriptor_.fd(), reinterpret_cast<sockaddr*>(&raw), &length) != 0) return {};
  return {reinterpret_cast<const sockaddr*>(&raw), length};
}

io::TcpHandle KernelTcpSocket::detach() {
  CHECK(descriptor_.is_open());
  events_ = nullptr;
  answer_watch_.reset();
  return tcp_handle(FileDescriptor(descriptor_.release()));
}

}  // namespace qmux::net

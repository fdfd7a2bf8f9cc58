// SPDX-License-Identifier: MIT
//
// io::TcpSocket over the kernel. It remembers what it knows of its readiness: only a read or write that found
// the kernel empty or full makes the next watch() arm the reactor, so that a busy socket costs no system call
// but its own.
//
// Keep-alive is the kernel's while nothing waits to be acknowledged. While something does the kernel sends no keep-alive, and
// this looks itself whether anything still comes back (see tcp_is_unanswered()).
#pragma once

#include <memory>
#include <optional>

#include "base/io/tcp_socket.h"
#include "base/timer_queue.h"
#include "net/file_descriptor.h"
#include "net/reactor.h"

namespace qmux::net {

/// A handle on a connected, non-blocking TCP descriptor.
[[nodiscard]] io::TcpHandle tcp_handle(FileDescriptor fd) noexcept;

class AsioEventLoop;

class KernelTcpSocket final : public io::TcpSocket, Reactor::Events {
 public:
  [[nodiscard]] static Result<std::unique_ptr<io::TcpSocket>> connect(AsioEventLoop& loop, const Address& remote);
  [[nodiscard]] static std::unique_ptr<io::TcpSocket> adopt(AsioEventLoop& loop, io::TcpHandle handle);
  ~KernelTcpSocket() override;

  io::IoResult read(std::span<const MutableBytes> into) override;
  io::IoResult write(std::span<const ConstBytes> from) override;
  void shutdown_write() override;
  void abort() override;
  void watch(io::Interest interest, io::TcpSocketEvents* events) override;
  void keep_alive(Duration idle) override;
  [[nodiscard]] std::size_t unacknowledged_bytes() const override;
  [[nodiscard]] std::optional<std::string> connect_error() override;
  [[nodiscard]] Address local_address() const override;
  [[nodiscard]] Address remote_address() const override;
  [[nodiscard]] io::TcpHandle detach() override;

 private:
  /// While something waits to be acknowledged.
  struct AnswerWatch {
    Duration interval;
    Timer due;
  };

  explicit KernelTcpSocket(AsioEventLoop& loop) noexcept;
  void ready(Readiness readiness) override;
  void tell_readable();
  void tell_writable();
  void tell_reset();
  void look_for_reset();
  io::IoResult gone() noexcept;
  void lose(int error) noexcept;
  void expect_answer();
  void look_for_answer();
  [[nodiscard]] bool finish_connecting() noexcept;

  AsioEventLoop& loop_;
  Descriptor descriptor_;
  std::unique_ptr<AnswerWatch> answer_watch_;  ///< with keep_alive() only
  io::TcpSocketEvents* events_ = nullptr;
  io::Interest interest_ = io::Interest::none;
  bool connecting_ = false;
  bool readable_ = false;     ///< a read may find something
  bool writable_ = true;      ///< a write may find room
  bool urgent_ = false;       ///< urgent data keeps the kernel reporting; wait for it to be read
  bool read_ended_ = false;   ///< FIN received
  bool write_ended_ = false;  ///< FIN sent
  bool lost_ = false;         ///< the connection is over, but what came before may still be read
  bool cut_ = false;          ///< of a lost one: its end is no FIN, though the kernel reads like one
  bool reset_ = false;        ///< and nothing can be read any more
  bool reset_told_ = false;
};

}  // namespace qmux::net

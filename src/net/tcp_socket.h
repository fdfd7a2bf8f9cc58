// SPDX-License-Identifier: MIT
//
// io::TcpSocket over the kernel. It remembers its readiness. Only after a read or write that found the kernel's buffer empty or
// full does the next watch() arm the reactor. So a busy socket costs no system calls but its reads and writes.
//
// While no data waits to be acknowledged, the kernel does keep-alive. Otherwise the kernel sends no keep-alive, and this class
// checks whether anything still arrives (see tcp_is_unanswered()).
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
  void notify_readable();
  void notify_writable();
  void notify_reset();
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
  bool lost_ = false;         ///< the connection is over, but data received before may still be read
  bool cut_ = false;          ///< of a lost one: its end is no FIN, though the kernel reports it as one
  bool reset_ = false;        ///< the connection is over, and nothing can be read any more
  bool reset_reported_ = false;
};

}  // namespace qmux::net

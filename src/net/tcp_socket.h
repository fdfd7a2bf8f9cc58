// SPDX-License-Identifier: MIT
//
// io::TcpSocket over the kernel. It remembers what it knows of its readiness: only a read or write that found
// the kernel empty or full makes the next watch() arm the reactor, so that a busy socket costs no system call
// but its own.
#pragma once

#include <memory>

#include "base/io/tcp_socket.h"
#include "net/file_descriptor.h"
#include "net/reactor.h"

namespace qmux::net {

/// A handle on a connected, non-blocking TCP descriptor.
[[nodiscard]] io::TcpHandle tcp_handle(FileDescriptor fd) noexcept;

class KernelTcpSocket final : public io::TcpSocket, Reactor::Owner {
 public:
  [[nodiscard]] static Result<std::unique_ptr<io::TcpSocket>> connect(Reactor& reactor, const Address& remote);
  [[nodiscard]] static std::unique_ptr<io::TcpSocket> adopt(Reactor& reactor, io::TcpHandle handle);
  ~KernelTcpSocket() override;

  io::IoResult read(std::span<const MutableBytes> into) override;
  io::IoResult write(std::span<const ConstBytes> from) override;
  void shutdown_write() override;
  void abort() override;
  void watch(io::Interest interest, io::SocketObserver* observer) override;
  [[nodiscard]] std::size_t unacknowledged_bytes() const override;
  [[nodiscard]] std::optional<std::string> connect_error() override;
  [[nodiscard]] Address local_address() const override;
  [[nodiscard]] Address remote_address() const override;
  [[nodiscard]] io::TcpHandle detach() override;

 private:
  explicit KernelTcpSocket(Reactor& reactor) noexcept : descriptor_(reactor, *this) {}
  void ready(Readiness readiness) override;
  void tell_readable();
  void tell_writable();
  void tell_reset();
  void look_for_reset();
  io::IoResult gone() noexcept;
  [[nodiscard]] bool finish_connecting() noexcept;

  Descriptor descriptor_;
  io::SocketObserver* observer_ = nullptr;
  io::Interest interest_ = io::Interest::none;
  bool connecting_ = false;
  bool readable_ = false;     ///< a read may find something
  bool writable_ = true;      ///< a write may find room
  bool urgent_ = false;       ///< urgent data keeps the kernel reporting; wait for it to be read
  bool read_ended_ = false;   ///< FIN received
  bool write_ended_ = false;  ///< FIN sent
  bool reset_ = false;        ///< and the owner knows, or is about to be told
  bool reset_told_ = false;
};

}  // namespace qmux::net

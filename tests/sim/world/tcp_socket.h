// SPDX-License-Identifier: MIT
//
// One end of a TcpConnection as a loop sees it.
#pragma once

#include "base/io/tcp_socket.h"
#include "sim/world/ready.h"
#include "sim/world/tcp_connection.h"

namespace qmux::sim {

class SimTcpSocket final : public io::TcpSocket, private ReadySource, private TcpConnection::EndObserver {
 public:
  SimTcpSocket(ReadyQueue& ready, TcpConnection& connection, TcpSide side);
  ~SimTcpSocket() override;

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
  struct Ready {
    enum : unsigned { readable, writable, reset };
  };

  void ready(unsigned kind) override;
  void end_readable() override;
  void end_writable() override;
  void end_reset() override;
  void spend(io::Interest spent) noexcept;

  TcpConnection* connection_;  ///< nullptr once detached
  const TcpSide side_;
  io::Interest interest_ = io::Interest::none;
  io::TcpSocketEvents* events_ = nullptr;
  bool reset_reported_ = false;
  bool aborted_ = false;
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// One end of a simulated TCP connection: reads all that comes, and notes how it ended.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/io/tcp_socket.h"

namespace qmux::testing {

class TcpEnd final : private io::TcpSocketEvents {
 public:
  explicit TcpEnd(std::unique_ptr<io::TcpSocket> socket) : socket_(std::move(socket)) {
    socket_->watch(io::Interest::read, this);
  }

  void send(std::string_view text) {
    const ConstBytes part = as_bytes(text);
    (void)socket_->write({&part, 1});
  }
  /// For a socket that still connects.
  void send_when_connected(std::string text) {
    to_send_ = std::move(text);
    socket_->watch(io::Interest::read | io::Interest::write, this);
  }
  void finish() { socket_->shutdown_write(); }

  std::string received;
  bool ended = false;
  bool reset = false;

 private:
  void socket_readable() override {
    std::byte buffer[4096];
    const MutableBytes part(buffer);
    while (true) {
      const io::IoResult result = socket_->read({&part, 1});
      if (result.status == io::IoStatus::done) {
        received += as_text(ConstBytes(buffer, result.count));
        continue;
      }
      ended |= result.status == io::IoStatus::end;
      reset |= result.status == io::IoStatus::reset;
      break;
    }
    if (!ended && !reset) socket_->watch(io::Interest::read, this);
  }
  void socket_writable() override { send(std::exchange(to_send_, {})); }
  void socket_reset() override { reset = true; }

  std::unique_ptr<io::TcpSocket> socket_;
  std::string to_send_;
};

}  // namespace qmux::testing

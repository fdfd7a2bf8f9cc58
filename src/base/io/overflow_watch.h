// SPDX-License-Identifier: MIT
//
// Counts the packets that the kernel has dropped on a socket since the last call, because they were not received in time. Belongs
// to the socket's user; one thread.
#pragma once

#include <cstdint>
#include <utility>

#include "base/io/datagram_socket.h"

namespace qmux::io {

class OverflowWatch {
 public:
  [[nodiscard]] std::uint64_t more(const DatagramSocket& socket) noexcept {
    const std::uint64_t now = socket.overflowed();
    return now - std::exchange(seen_, now);
  }
  /// For another socket.
  void begin_anew() noexcept { seen_ = 0; }

 private:
  std::uint64_t seen_ = 0;
};

}  // namespace qmux::io

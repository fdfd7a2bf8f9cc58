// SPDX-License-Identifier: MIT
//
// The memory that all UDP sockets of one loop receive into, one after another. The packets of one call stay valid until the next
// call. A page is backed by memory only once a run long enough to reach it has arrived.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "net/udp_control.h"

namespace qmux::net {

class UdpInbox {
 public:
  /// Received in one call at most.
  static constexpr std::size_t kRunsMax = 32;

  UdpInbox();

  /// recvmmsg(2) for at most `count` runs, `count` <= kRunsMax; returns what that returns.
  int receive(int fd, std::size_t count) noexcept;
  /// The run at `index` of the last call. `local` is the socket's address; `overflow_count` as in read_control().
  [[nodiscard]] io::PacketRun run(std::size_t index, const Address& local, std::uint32_t& overflow_count) noexcept;

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::array<mmsghdr, kRunsMax> messages_{};
  std::array<iovec, kRunsMax> vectors_;
  std::array<sockaddr_in6, kRunsMax> senders_;  // IPv4's is smaller
  std::array<ControlBuffer, kRunsMax> controls_;
};

}  // namespace qmux::net

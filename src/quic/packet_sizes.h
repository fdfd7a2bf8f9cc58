// SPDX-License-Identifier: MIT
//
// The packet sizes that paths are tried with: 1,200 bytes always do.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace qmux::quic {

/// In the order in which path MTU discovery tries them, skipping what an earlier probe has settled: Ethernet, then tunnels
/// and IPv6's minimum below it, then jumbo frames and loopback. 65,487 is what IPv6 leaves of a 65,535-byte packet.
inline constexpr std::array<std::uint16_t, 8> kPacketSizeProbes{1452, 1342, 1232, 1406, 4052, 8952, 65487, 65507};

/// The smallest of them above `bytes`; SIZE_MAX: there is none.
[[nodiscard]] constexpr std::size_t next_packet_size(std::size_t bytes) noexcept {
  std::size_t next = SIZE_MAX;
  for (const std::size_t size : kPacketSizeProbes) {
    if (size > bytes) next = std::min(next, size);
  }
  return next;
}

static_assert(next_packet_size(1200) == 1232 && next_packet_size(1232) == 1342 && next_packet_size(65507) == SIZE_MAX);

}  // namespace qmux::quic

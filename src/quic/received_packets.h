// SPDX-License-Identifier: MIT
//
// Which packets of the peer are newer than all before them. ngtcp2 1.11 decrypts a packet before it looks whether it had it
// already, so that a packet which decrypts may be a replay by a host on the path.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qmux::quic {

/// The packet number that `truncated`, the last `bytes` (1 to 4) of it, stands for after `largest` has been received, -1 for
/// none (RFC 9000 appendix A.3).
[[nodiscard]] constexpr std::int64_t full_packet_number(std::int64_t largest, std::uint32_t truncated,
                                                        std::size_t bytes) noexcept {
  const std::int64_t window = std::int64_t{1} << (8 * bytes);
  const std::int64_t expected = largest + 1;
  const std::int64_t candidate = (expected & ~(window - 1)) | static_cast<std::int64_t>(truncated);
  if (candidate <= expected - window / 2 && candidate < (std::int64_t{1} << 62U) - window) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

class ReceivedPackets {
 public:
  /// Of a 1-RTT packet that has decrypted: its header (RFC 9000 section 17.3.1), which ends with the packet number.
  /// True: it is newer than all before it.
  bool newest(const std::uint8_t* header, std::size_t length) noexcept {
    const std::size_t bytes = (header[0] & 3U) + 1U;
    std::uint32_t truncated = 0;
    for (std::size_t i = length - bytes; i < length; ++i) truncated = truncated << 8U | header[i];
    const std::int64_t number = full_packet_number(largest_, truncated, bytes);
    if (number <= largest_) return false;
    largest_ = number;
    return true;
  }

 private:
  std::int64_t largest_ = -1;
};

}  // namespace qmux::quic

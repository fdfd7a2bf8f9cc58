// SPDX-License-Identifier: MIT
//
// The ACK frame of a decrypted packet (RFC 9000 section 19.3), as far as it shows whether one packet has arrived: ngtcp2 1.11
// does not report which packets were acknowledged. A view; it owns nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace qmux::quic {

class AckFrame {
 public:
  /// Of a packet's frames: its ACK frame. Found where QUIC implementations put it, first or behind frames without a length of
  /// their own; nullopt: it is not there, or makes no sense.
  [[nodiscard]] static std::optional<AckFrame> find(ConstBytes frames) noexcept;

  /// Largest packet number acknowledged.
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  [[nodiscard]] bool acknowledges(std::uint64_t packet_number) const noexcept;

 private:
  AckFrame() = default;

  std::uint64_t largest_ = 0;
  std::uint64_t first_range_ = 0;  ///< how many before the largest one, without a gap
  std::uint64_t range_count_ = 0;  ///< that `ranges_` begins with
  ConstBytes ranges_;
};

}  // namespace qmux::quic

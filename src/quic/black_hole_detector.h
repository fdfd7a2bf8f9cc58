// SPDX-License-Identifier: MIT
//
// Detection of black holes (RFC 8899 section 4.3): the path takes no more packets of a size that it took before. It is found
// after limits::kPathMtuLossesMax losses in a row, with no packet of that size arriving in between. Packets that were sent to try
// a larger size do not count. Each loss that counts is of a packet that a later one has overtaken: where nothing arrives at all,
// PathMtu acts at once.
//
// Owned by a PathMtu, one thread; pure.
#pragma once

#include <algorithm>
#include <cstddef>

#include "quic/limits.h"

namespace qmux::quic {

class BlackHoleDetector {
 public:
  void packet_arrived(std::size_t bytes) noexcept {
    if (bytes >= smallest_lost_bytes_) losses_ = 0;
  }
  /// True: the path takes no such packets any more. Counting begins anew.
  [[nodiscard]] bool packet_lost(std::size_t bytes) noexcept {
    smallest_lost_bytes_ = losses_ == 0 ? bytes : std::min(smallest_lost_bytes_, bytes);
    if (++losses_ < limits::kPathMtuLossesMax) return false;
    reset();
    return true;
  }
  /// The path or the size of packets is another one.
  void reset() noexcept { losses_ = 0; }

 private:
  int losses_ = 0;  ///< in a row
  std::size_t smallest_lost_bytes_ = 0;
};

}  // namespace qmux::quic

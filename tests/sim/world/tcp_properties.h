// SPDX-License-Identifier: MIT
//
// What the simulator's TCP is like.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace qmux::sim {

struct TcpProperties {
  std::uint64_t rate_bytes_per_second = 0;  ///< 0: unlimited
  std::size_t segment_bytes_max = 16 * 1024;
  std::size_t send_buffer_bytes = 128 * 1024;
  std::size_t receive_buffer_bytes = 128 * 1024;
  std::size_t backlog = 128;
  Duration connect_timeout = std::chrono::seconds(20);
  /// Kernels differ, and so does timing: a reset may take what was received but not yet read with it, or leave it readable.
  double reset_purges_chance = 0.5;
  /// A reset may overtake what was sent before it.
  double reset_overtakes_chance = 0.5;
};

}  // namespace qmux::sim

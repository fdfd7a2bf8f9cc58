// SPDX-License-Identifier: MIT
//
// Randomness is passed in: unpredictable bytes from the operating system in the program, a seeded stream in the simulator.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace qmux {

/// One thread.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills `into`. The bytes may be used as keys and identifiers.
  virtual void fill(MutableBytes into) noexcept = 0;

  [[nodiscard]] std::uint64_t next_u64() noexcept {
    std::byte bytes[8];
    fill(bytes);
    return read_be<std::uint64_t>(bytes);
  }
  /// Uniform in [0, bound); bound > 0. The bias of the remainder, under 2^-32 for bounds under 2^32, is harmless here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept { return next_u64() % bound; }
};

}  // namespace qmux

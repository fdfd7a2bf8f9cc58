// SPDX-License-Identifier: MIT
//
// The simulator's randomness: one independent stream a name, all from one seed (xoshiro256**, seeded by splitmix64), so that
// a new actor with a stream of its own shifts no other actor's.
//
// One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace qmux::sim {

/// A well-mixed function of one value.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

/// A digest of bytes, for traces and for the names of streams; not for keys.
[[nodiscard]] std::uint64_t digest(ConstBytes bytes) noexcept;

class SeededRandom final : public Random {
 public:
  SeededRandom(std::uint64_t seed, std::string_view stream) noexcept;

  void fill(MutableBytes into) noexcept override;

  [[nodiscard]] std::uint64_t next() noexcept;
  /// Uniform in [low, high].
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept;
  /// Uniform in [low, high].
  [[nodiscard]] Duration between(Duration low, Duration high) noexcept;
  /// True with this probability.
  [[nodiscard]] bool chance(double probability) noexcept;

 private:
  std::uint64_t state_[4];
};

}  // namespace qmux::sim

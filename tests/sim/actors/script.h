// SPDX-License-Identifier: MIT
//
// How the two sides of a tunnel behave, drawn at random: most are regular, some are slow, some stop reading, some reset.
#pragma once

#include <cstdint>

#include "sim/actors/ledger.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

/// What drawn scripts keep to: the longest time without a read, and the slowest reading.
inline constexpr Duration kStallTimeMax = std::chrono::seconds(20);
inline constexpr std::size_t kReadBytesMin = 256;
inline constexpr Duration kReadPauseTimeMax = std::chrono::milliseconds(10);

/// The longest time that a side with a drawn script takes to read `bytes` that its socket holds.
[[nodiscard]] constexpr Duration reading_time_max(std::uint64_t bytes) noexcept {
  return kStallTimeMax + kReadPauseTimeMax * static_cast<Duration::rep>(bytes / kReadBytesMin + 1);
}

struct Temper {
  std::uint64_t bytes_max = 300'000;  ///< of one direction, rarely exceeded
  double greedy_chance = 0.04;        ///< megabytes towards a side that reads nothing for a while
  double reset_chance = 0.1;          ///< of each side
  double silent_chance = 0.05;
};

/// Fills in the scripts of both sides.
void draw_scripts(SeededRandom& random, const Temper& temper, TunnelRecord& tunnel);

}  // namespace qmux::sim

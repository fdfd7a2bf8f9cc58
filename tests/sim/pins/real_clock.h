// SPDX-License-Identifier: MIT
//
// The machine's own clocks, past the pins: for the program that runs seeds, never for anything inside a run.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace qmux::sim {

[[nodiscard]] Time real_monotonic_time() noexcept;
[[nodiscard]] std::int64_t real_unix_seconds() noexcept;

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Seeds that failed once: every `./dev test` runs them besides its range. An entry joins with the fix of what it found, and
// says what that was. It stands for that only as long as the plan that is drawn from it stays the same.
#pragma once

#include <array>
#include <cstdint>

namespace qmux::sim {

inline constexpr std::array<std::uint64_t, 3> kOnceFailedSeeds = {
    // The end of a run did not wait for a late visitor that stalls for 15 s with 160 KiB in its kernel.
    213142,
    // The audit came before the bytes of a visitor that had reset were with the local service.
    1003361,
    // A visitor's last FIN was on its way when its host went dark, and counted as sent.
    3005303,
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Which worker a QUIC packet is for, told from its destination connection ID without knowing the connection: the first byte of
// every ID that we issue names the worker that issued it. The kernel's socket filter applies the same rule (net/); this is for
// packets that it could not place.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace qmux::wire {

/// One byte can tell so many workers apart.
inline constexpr std::size_t kWorkersMax = 256;

/// The worker that a packet with this destination ID goes to, of `workers` (1 to kWorkersMax). An ID that a
/// client made up for its first packets leads somewhere too, always to the same worker; an empty one to
/// worker 0.
[[nodiscard]] std::size_t worker_of(ConstBytes dcid, std::size_t workers) noexcept;

/// The first byte of an ID that `worker` issues: random but for what names the worker.
[[nodiscard]] std::byte first_id_byte(std::size_t worker, std::size_t workers, std::byte random) noexcept;

}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
//
// Which worker a QUIC packet is for, from its destination connection ID alone, without knowing the connection. The first byte of
// every ID that we issue names the worker that issued it. The kernel's socket filter applies the same rule (net/). This code
// handles the packets that the filter could not place.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace qmux::wire {

/// The number of workers that one byte can distinguish.
inline constexpr std::size_t kWorkersMax = 256;

/// The worker that a packet with this destination ID goes to, of `workers` (1 to kWorkersMax). An ID that a client chose for its
/// first packets also gives a worker, always the same one. An empty ID gives worker 0.
[[nodiscard]] std::size_t worker_of(ConstBytes dcid, std::size_t workers) noexcept;

/// The first byte of an ID that `worker` issues: random except for the part that names the worker.
[[nodiscard]] std::byte first_id_byte(std::size_t worker, std::size_t workers, std::byte random) noexcept;

}  // namespace qmux::wire

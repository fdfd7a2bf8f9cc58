// SPDX-License-Identifier: MIT
//
// The limits of base and net. Each has its unit in its name and its reason beside it. Each layer has such a file.
#pragma once

#include <chrono>
#include <cstddef>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// Free chunks a worker keeps (16 KiB each, 32 MiB in all) while traffic uses them: the whole window of a fast path. Steady
/// traffic allocates nothing.
inline constexpr std::size_t kFreeChunksMax = 2048;
/// From this surplus on, returning memory is worth a walk through the allocator's heap.
inline constexpr std::size_t kTrimBytesMin = std::size_t{1024} * 1024;

// --- sockets ----------------------------------------------------------------------------------------------------------

/// Unanswered probes, one keep-alive interval apart, after which a silent TCP peer is considered dead (tcp(7), TCP_KEEPCNT).
inline constexpr int kTcpProbesMax = 9;

// --- log --------------------------------------------------------------------------------------------------------------

/// Length of one field of a log line. A longer text, from a peer or a file, is cut.
inline constexpr std::size_t kLogValueBytesMax = 1000;
/// Log lines that wait to be written while their reader has stopped. Further lines are dropped, and a line reports how many.
inline constexpr std::size_t kLogWaitingBytesMax = std::size_t{1024} * 1024;

}  // namespace qmux::limits

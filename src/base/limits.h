// SPDX-License-Identifier: MIT
//
// The numbers that bound something in base and net: its unit in the name, its reason beside it. Each layer has such a file.
#pragma once

#include <chrono>
#include <cstddef>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// Free chunks a worker keeps (16 KiB each, 32 MiB in all) while traffic uses them: a whole window of a fast path, so that
/// steady traffic allocates nothing.
inline constexpr std::size_t kFreeChunksMax = 2048;
/// Surplus chunks from which on giving them up is worth a walk through the allocator's heap.
inline constexpr std::size_t kTrimBytesMin = std::size_t{1024} * 1024;

// --- sockets ----------------------------------------------------------------------------------------------------------

/// Probes of a silent TCP peer, the keep-alive's interval apart, that may go unanswered (tcp(7), TCP_KEEPCNT).
inline constexpr int kTcpProbesMax = 9;

// --- log --------------------------------------------------------------------------------------------------------------

/// Of one field of a log line; what a peer or a file has written may be longer, and is cut.
inline constexpr std::size_t kLogValueBytesMax = 1000;
/// Log lines that wait to be written, while nothing reads them. More are dropped, and a line says how many.
inline constexpr std::size_t kLogWaitingBytesMax = std::size_t{1024} * 1024;

}  // namespace qmux::limits

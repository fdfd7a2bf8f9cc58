// SPDX-License-Identifier: MIT
//
// The invariants of every tunnel, checked on the ledger once a run is over:
//   - what arrived is a prefix of what was sent, and all of it where a FIN says so;
//   - a FIN arrives only where one was sent: a stream cut short never looks complete;
//   - both sides come to an end;
//   - a reset has a cause: the other side reset, or the run has an excuse for it;
//   - what TCP had acknowledged before one side's reset arrives at the other, where kernels lose nothing to a reset
//     (TalkScript::read_after_reset), and after TalkScript::close_after_sending the reset follows it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/actors/ledger.h"

namespace qmux::sim {

/// Says whether something outside of the two sides (a crash, a partition) may have ended this tunnel.
using Excuse = std::function<bool(const TunnelRecord&)>;

/// One line for each violation; none: all is well. `cut_count`: tunnels whose wait for the last bytes before a reset the programs
/// have given up (tunnels_cut, tunnels_stuck): that many may lack some of these bytes.
[[nodiscard]] std::vector<std::string> audit(const Ledger& ledger, const Excuse& excused, std::uint64_t cut_count = 0);

}  // namespace qmux::sim

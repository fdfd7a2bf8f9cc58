// SPDX-License-Identifier: MIT
//
// The invariants of every tunnel, checked on the ledger once a run is over:
//   - what arrived is a prefix of what was sent, and all of it where a FIN says so;
//   - a FIN arrives only where one was sent: a stream cut short never looks complete;
//   - both sides come to an end;
//   - a reset has a cause: the other side reset, or the run has an excuse for it;
//   - an answer that is followed by a reset at once (TalkScript::close_after_sending) arrives whole, and then the reset.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/actors/ledger.h"

namespace qmux::sim {

/// Says whether something outside of the two sides (a crash, a partition) may have ended this tunnel.
using Excuse = std::function<bool(const TunnelRecord&)>;

/// One line for each violation; none: all is well.
[[nodiscard]] std::vector<std::string> audit(const Ledger& ledger, const Excuse& excused);

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// What must hold of the programs themselves, beside what the ledger says of each tunnel: nothing is held without bound, an
// idle program holds nothing at all, and whatever began is accounted for.
//
// Each returns one line for each violation.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/deployment.h"
#include "sim/scenario/plan.h"

namespace qmux::sim {

/// At any time: what is between the two sides of a tunnel fits into the buffers and windows on the way.
[[nodiscard]] std::vector<std::string> inspect_backlogs(const Plan& plan);

/// At any time: what is held for unproven connections keeps to its limits.
[[nodiscard]] std::vector<std::string> inspect_handshakes(Deployment& deployment);

/// Once the visits are over: each has kept its bounds of time, where the plan has any.
[[nodiscard]] std::vector<std::string> inspect_figures(const Plan& plan);

/// Without visitors: no buffer is in use, and no pool slot is assigned.
[[nodiscard]] std::vector<std::string> inspect_rest(Deployment& deployment);

/// Before the stop, which causes both: no message was refused and, unless `losses_excused`, no connection lost.
[[nodiscard]] std::vector<std::string> inspect_losses(Deployment& deployment, bool losses_excused);

/// After the orderly stop: whatever began has ended, for a cause that was counted, and counters of what no peer does here are
/// zero.
[[nodiscard]] std::vector<std::string> inspect_accounts(Deployment& deployment);

}  // namespace qmux::sim

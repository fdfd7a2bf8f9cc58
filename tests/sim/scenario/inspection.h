// SPDX-License-Identifier: MIT
//
// What must hold of the programs themselves, beside what the ledger says of each tunnel: nothing is held without bound, an
// idle program holds nothing at all, and whatever began is accounted for.
//
// Each returns one line for each violation.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/plan.h"
#include "sim/scenario/town.h"

namespace qmux::sim {

/// At any time: what is between the two sides of a tunnel fits into the buffers and windows on the way.
[[nodiscard]] std::vector<std::string> inspect_backlogs(const Plan& plan);

/// No visitor is left: no buffer is held and no assignment exists.
[[nodiscard]] std::vector<std::string> inspect_rest(Town& town);

/// Before anybody stops, for stopping does both: no message was refused and, unless `losses_excused`, no connection lost.
[[nodiscard]] std::vector<std::string> inspect_losses(Town& town, bool losses_excused);

/// Everything has stopped in order. Whatever began has ended, for a cause that was counted, and nothing was counted that
/// nobody does here.
[[nodiscard]] std::vector<std::string> inspect_accounts(Town& town);

}  // namespace qmux::sim

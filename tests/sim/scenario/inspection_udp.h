// SPDX-License-Identifier: MIT
//
// What must hold of the programs' UDP, beside what the ledger says of each payload: memory within its limits, sessions and
// routes that end, and every payload accounted for, exactly.
//
// Each returns one line for each violation.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/plan.h"
#include "sim/scenario/town.h"

namespace qmux::sim {

/// At any time: what waits is within its limits, and nothing has come out that did not go in.
[[nodiscard]] std::vector<std::string> inspect_udp_limits(Town& town);

/// There are no sessions, for whatever reason: nothing waits, and all payloads that came in went out or were dropped for a
/// reason.
[[nodiscard]] std::vector<std::string> inspect_udp_accounts(Town& town);

/// For longer than a session lasts nobody has said anything: the same, and no visitor has a route.
[[nodiscard]] std::vector<std::string> inspect_udp_rest(Town& town);

/// The same before anybody stops, and across the network where it has no faults: what was sent to a program it has received.
[[nodiscard]] std::vector<std::string> inspect_udp_network(const Plan& plan, Town& town);

/// What was dropped so far, by reason, for people to read.
[[nodiscard]] std::string describe_udp_drops(Town& town);

}  // namespace qmux::sim

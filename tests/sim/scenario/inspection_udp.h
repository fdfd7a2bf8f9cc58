// SPDX-License-Identifier: MIT
//
// What must hold of the programs' UDP, beside what the ledger says of each payload: memory within its limits, sessions and
// routes that end, and every payload accounted for, exactly.
//
// Each returns one line for each violation.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/deployment.h"
#include "sim/scenario/plan.h"

namespace qmux::sim {

/// At any time: what waits is within its limits, and nothing has come out that did not go in.
[[nodiscard]] std::vector<std::string> inspect_udp_limits(Deployment& deployment);

/// There are no sessions, for whatever reason: nothing waits, and all payloads that came in went out or were dropped for a
/// reason.
[[nodiscard]] std::vector<std::string> inspect_udp_accounts(Deployment& deployment);

/// When nothing was sent for longer than a session lasts: the same, and no visitor has a route.
[[nodiscard]] std::vector<std::string> inspect_udp_rest(Deployment& deployment);

/// Before the stop, across a network without faults: what was sent to a program it has received.
[[nodiscard]] std::vector<std::string> inspect_udp_network(const Plan& plan, Deployment& deployment);

/// What was dropped so far, by reason, as text.
[[nodiscard]] std::string describe_udp_drops(Deployment& deployment);

}  // namespace qmux::sim

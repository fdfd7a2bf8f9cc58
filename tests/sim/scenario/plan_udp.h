// SPDX-License-Identifier: MIT
//
// The part of a plan that is about UDP: who takes it, how it is carried, and who calls when.
#pragma once

#include "sim/scenario/plan.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

/// Which protocols the server's listeners take. The first one always takes TCP.
void draw_protocols(SeededRandom& random, ServerPlan& server);
/// Options of all listeners and clients, and the calls.
void draw_udp(SeededRandom& random, Plan& plan, Duration calls_time);

/// The shortest time without traffic after which a session of this call may end.
[[nodiscard]] Duration session_time_min(const Plan& plan, const VisitPlan& call);
/// The longest that any session lasts without traffic.
[[nodiscard]] Duration session_time_max(const Plan& plan);

}  // namespace qmux::sim

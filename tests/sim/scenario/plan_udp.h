// SPDX-License-Identifier: MIT
//
// The part of a plan that is about UDP: which listeners take it, how it is carried, and when each visitor comes.
#pragma once

#include "sim/scenario/plan.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

/// Which protocols the server's listeners take. The first one always takes TCP.
void draw_protocols(SeededRandom& random, ServerPlan& server);
/// Options of all listeners and clients, and the visits by UDP.
void draw_udp(SeededRandom& random, Plan& plan, Duration visits_time);

/// The shortest time without traffic after which a session of this visit may end.
[[nodiscard]] Duration session_time_min(const Plan& plan, const VisitPlan& visit);
/// The longest that any session lasts without traffic.
[[nodiscard]] Duration session_time_max(const Plan& plan);

}  // namespace qmux::sim

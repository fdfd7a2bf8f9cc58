// SPDX-License-Identifier: MIT
//
// Situations that the base plan does not reach. Each has a name, a chance with which a seed draws it, and what it adds to the
// plan. What it draws comes from a stream of its own, so that the plan of a seed without it is the same as if it did not exist.
//
// Most add a listener of their own: its clients, links and visitors are the scenario's, and its figures hold whatever else the
// seed has drawn. The README has a table of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/scenario/plan.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

struct Scenario {
  std::string_view name;
  unsigned chance_percent;
  void (*apply)(SeededRandom& random, Plan& plan);
};

[[nodiscard]] std::span<const Scenario> all_scenarios() noexcept;
/// nullptr: there is none of that name.
[[nodiscard]] const Scenario* find_scenario(std::string_view name) noexcept;

/// Applies `forced`, or what the seed draws where that is empty: of several that it draws, the first.
void draw_scenario(std::uint64_t seed, std::string_view forced, Plan& plan);

// scenarios_load.cpp
void many_clients(SeededRandom& random, Plan& plan);
void strangers(SeededRandom& random, Plan& plan);
void narrow_link(SeededRandom& random, Plan& plan);
void crowded_link(SeededRandom& random, Plan& plan);
// scenarios_services.cpp
void hanging_service(SeededRandom& random, Plan& plan);
void dead_service(SeededRandom& random, Plan& plan);
void avoided_service(SeededRandom& random, Plan& plan);
void early_answer(SeededRandom& random, Plan& plan);
// scenarios_peers.cpp
void frozen_client(SeededRandom& random, Plan& plan);
void vanished_client(SeededRandom& random, Plan& plan);
void vanished_visitor(SeededRandom& random, Plan& plan);
void roaming_client(SeededRandom& random, Plan& plan);
// scenarios_stops.cpp
void draining_client(SeededRandom& random, Plan& plan);
void draining_server(SeededRandom& random, Plan& plan);
void reloading_client(SeededRandom& random, Plan& plan);
void reloading_server(SeededRandom& random, Plan& plan);

}  // namespace qmux::sim

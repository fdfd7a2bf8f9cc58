// SPDX-License-Identifier: MIT
#include "sim/scenario/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace qmux::sim {
namespace {

constexpr std::array kScenarios = {
    Scenario{"many_clients", 1, many_clients},         Scenario{"strangers", 1, strangers},
    Scenario{"narrow_link", 1, narrow_link},           Scenario{"crowded_link", 1, crowded_link},
    Scenario{"hanging_service", 1, hanging_service},   Scenario{"dead_service", 1, dead_service},
    Scenario{"avoided_service", 1, avoided_service},   Scenario{"early_answer", 1, early_answer},
    Scenario{"frozen_client", 1, frozen_client},       Scenario{"vanished_client", 1, vanished_client},
    Scenario{"vanished_visitor", 1, vanished_visitor}, Scenario{"draining_client", 1, draining_client},
    Scenario{"draining_server", 1, draining_server},   Scenario{"roaming_client", 1, roaming_client},
    Scenario{"reloading_server", 1, reloading_server}, Scenario{"reloading_client", 1, reloading_client},
};

}  // namespace

std::span<const Scenario> all_scenarios() noexcept { return kScenarios; }

const Scenario* find_scenario(std::string_view name) noexcept {
  const auto found = std::ranges::find(kScenarios, name, &Scenario::name);
  return found != kScenarios.end() ? &*found : nullptr;
}

void draw_scenario(std::uint64_t seed, std::string_view forced, Plan& plan) {
  CHECK(forced.empty() || find_scenario(forced) != nullptr);
  for (const Scenario& scenario : kScenarios) {
    SeededRandom random(seed, fmt::format("scenario {}", scenario.name));
    const bool drawn = random.chance(0.01 * scenario.chance_percent);
    if (forced.empty() ? !drawn : forced != scenario.name) continue;
    plan.scenario = scenario.name;
    return scenario.apply(random, plan);
  }
}

}  // namespace qmux::sim

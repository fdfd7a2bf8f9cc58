// SPDX-License-Identifier: MIT
#include "sim/scenario/tally.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace qmux::sim {

void Tally::count(std::uint64_t seed, const Verdict& verdict) {
  count(verdict.violations.empty());
  if (!verdict.scenario.empty()) ++scenarios_[verdict.scenario];
  if (verdict.violations.empty()) return;
  const std::string more =
      verdict.violations.size() > 1 ? fmt::format(" (and {} more)", verdict.violations.size() - 1) : "";
  fmt::print("seed {} failed: {}{}; replay: qmux_sim --seed {}{}\n", seed, verdict.violations.front(), more, seed,
             forced_ && !verdict.scenario.empty() ? " --with " + verdict.scenario : "");
  std::fflush(stdout);
}

int Tally::close() const {
  if (!scenarios_.empty()) {
    std::string text;
    for (const auto& [name, runs] : scenarios_) text += fmt::format("{} {} {}", text.empty() ? "" : ",", name, runs);
    fmt::print("runs with a scenario:{}\n", text);
  }
  fmt::print("{} passed, {} failed\n", passed_, failed_);
  return failed_ == 0 && passed_ > 0 ? 0 : 1;
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
#include "sim/scenario/tally.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace qmux::sim {

void Tally::count(std::uint64_t seed, const Verdict& verdict) {
  count(verdict.violations.empty());
  if (verdict.violations.empty()) return;
  const std::string more =
      verdict.violations.size() > 1 ? fmt::format(" (and {} more)", verdict.violations.size() - 1) : "";
  fmt::print("seed {} failed: {}{}; replay: qmux_sim --seed {}\n", seed, verdict.violations.front(), more, seed);
  std::fflush(stdout);
}

int Tally::close() const {
  fmt::print("{} passed, {} failed\n", passed_, failed_);
  return failed_ == 0 && passed_ > 0 ? 0 : 1;
}

}  // namespace qmux::sim

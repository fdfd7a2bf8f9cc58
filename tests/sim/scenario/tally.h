// SPDX-License-Identifier: MIT
//
// Counts verdicts and prints those that failed, with how to replay them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sim/scenario/run.h"

namespace qmux::sim {

class Tally {
 public:
  void count(std::uint64_t seed, const Verdict& verdict);
  void count(bool passed) noexcept { ++(passed ? passed_ : failed_); }
  [[nodiscard]] std::uint64_t passed_count() const noexcept { return passed_; }
  [[nodiscard]] std::uint64_t failed_count() const noexcept { return failed_; }
  /// From now on the scenarios of runs are not what their seeds draw.
  void set_forced() noexcept { forced_ = true; }
  /// Prints how many runs there were with each scenario, then the sum, which is the program's last line; returns the exit status.
  [[nodiscard]] int close() const;

 private:
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
  bool forced_ = false;
  std::map<std::string, std::uint64_t> scenarios_;
};

}  // namespace qmux::sim

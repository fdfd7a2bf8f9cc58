// SPDX-License-Identifier: MIT
//
// Counts verdicts and prints those that failed, with how to replay them.
#pragma once

#include <cstdint>

#include "sim/scenario/run.h"

namespace qmux::sim {

class Tally {
 public:
  void count(std::uint64_t seed, const Verdict& verdict);
  void count(bool passed) noexcept { ++(passed ? passed_ : failed_); }
  [[nodiscard]] std::uint64_t passed_count() const noexcept { return passed_; }
  [[nodiscard]] std::uint64_t failed_count() const noexcept { return failed_; }
  /// Prints the sum, which is the program's last line; returns the exit status.
  [[nodiscard]] int close() const;

 private:
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace qmux::sim

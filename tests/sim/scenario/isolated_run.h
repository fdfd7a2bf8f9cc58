// SPDX-License-Identifier: MIT
//
// A run in a process of its own: what the libraries keep from one run cannot reach the next, a crash is a verdict like any
// other, and so is a run that does not end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "sim/scenario/run.h"

namespace qmux::sim {

class IsolatedRun {
 public:
  /// Starts it. The child shares our standard output.
  IsolatedRun(std::uint64_t seed, const RunSettings& settings, Tracing tracing);
  IsolatedRun(IsolatedRun&& other) noexcept;
  IsolatedRun& operator=(IsolatedRun&&) = delete;
  ~IsolatedRun();

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  /// Waits for its end.
  [[nodiscard]] Verdict finish();

 private:
  std::uint64_t seed_;
  pid_t child_ = -1;
  int report_fd_ = -1;
};

}  // namespace qmux::sim

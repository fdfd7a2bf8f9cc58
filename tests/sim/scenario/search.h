// SPDX-License-Identifier: MIT
//
// Runs many seeds, several at a time, each in a process of its own: a range of them, or as many as a stretch of real time
// takes. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.h"
#include "sim/scenario/run.h"
#include "sim/scenario/tally.h"

namespace qmux::sim {

class Search {
 public:
  /// `jobs`: runs at the same time.
  Search(const RunSettings& settings, std::size_t jobs, Tally& tally)
      : settings_(settings), jobs_(jobs), tally_(tally) {}

  /// Runs the seeds that `next` gives, until it gives none.
  void run(const std::function<std::optional<std::uint64_t>()>& next);
  void run_range(std::uint64_t first, std::uint64_t last);
  /// Runs seed after seed for this time. Prints where it begins, now and then how far it is, and where the next search can go on.
  /// SIGINT and SIGTERM end it early, and in the same way.
  void run_for(Duration time, std::uint64_t first);

 private:
  const RunSettings& settings_;
  const std::size_t jobs_;
  Tally& tally_;
};

}  // namespace qmux::sim

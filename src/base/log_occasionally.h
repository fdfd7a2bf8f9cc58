// SPDX-License-Identifier: MIT
//
// Logs an event that a peer can cause at any rate: one line a period. The number of lines left out is logged when the period is
// over, or when this object is destroyed. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"
#include "base/timer_queue.h"

namespace qmux::log {

class Occasionally {
 public:
  explicit Occasionally(TimerQueue& timers, Duration period = std::chrono::seconds(10))
      : period_(period), period_over_(timers, [this] { report_left_out(); }) {}
  Occasionally(const Occasionally&) = delete;
  Occasionally& operator=(const Occasionally&) = delete;
  ~Occasionally() { report_left_out(); }

  /// Writes a line, or counts it as left out. The event is always the same.
  void write(Time now, Level level, std::string_view event, std::span<const Field> fields);
  void write(Time now, Level level, std::string_view event, Fields fields) {
    write(now, level, event, std::span(fields.begin(), fields.size()));
  }

 private:
  void report_left_out();

  const Duration period_;
  std::optional<Time> last_;
  Level level_ = Level::info;
  std::string event_;
  std::uint64_t left_out_ = 0;
  Timer period_over_;  ///< set while lines are left out
};

}  // namespace qmux::log

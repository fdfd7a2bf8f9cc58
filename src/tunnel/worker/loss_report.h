// SPDX-License-Identifier: MIT
//
// Logs what one worker has refused or dropped since its last report, by reason: soon after the first loss, then once a minute
// while there are further losses. docs/CONFIGURATION.md explains the names.
//
// One a worker; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "base/timer_queue.h"
#include "tunnel/worker/counters.h"

namespace qmux::tunnel {

class LossReport {
 public:
  /// `counters` outlive it.
  LossReport(TimerQueue& timers, const Counters& counters);
  LossReport(const LossReport&) = delete;
  LossReport& operator=(const LossReport&) = delete;
  /// Reports the rest.
  ~LossReport();

  /// At the end of a pass.
  void look(Time now);

 private:
  [[nodiscard]] std::uint64_t losses_in_all() const noexcept;
  void report();

  const Counters& counters_;
  std::vector<std::uint64_t> reported_;  ///< as counter_table()
  std::uint64_t reported_in_all_ = 0;
  Time next_ = Time::min();  ///< line
  Time next_look_ = Time::min();
  Timer due_;
};

}  // namespace qmux::tunnel

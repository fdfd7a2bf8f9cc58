// SPDX-License-Identifier: MIT
//
// Says in the log what one worker has turned away or dropped since it said so last, by reason: soon after the first, then once
// a minute, and nothing while there is nothing to say. What the names mean stands in docs/CONFIGURATION.md.
//
// One a worker; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "base/timer_queue.h"
#include "tunnel/udp/udp_counters.h"

namespace qmux::tunnel {

struct WorkerState;

struct Loss {
  std::string_view name;
  std::uint64_t count = 0;
};
/// The reasons of UDP payloads come last.
inline constexpr std::size_t kFirstUdpDrop = 24;
inline constexpr std::size_t kLosses = kFirstUdpDrop + kUdpDrops;
using Losses = std::array<Loss, kLosses>;

/// Since the worker began.
[[nodiscard]] Losses losses_of(const WorkerState& worker) noexcept;

class LossReport {
 public:
  /// `worker` outlives it, and is complete when anything is asked of it.
  LossReport(TimerQueue& timers, const WorkerState& worker);
  LossReport(const LossReport&) = delete;
  LossReport& operator=(const LossReport&) = delete;
  /// Says what has not been said.
  ~LossReport();

  /// At the end of a pass.
  void look(Time now);

 private:
  void tell();

  const WorkerState& worker_;
  std::array<std::uint64_t, kLosses> told_{};
  std::uint64_t told_in_all_ = 0;
  Time next_ = Time::min();  ///< line
  Time next_look_ = Time::min();
  Timer due_;
};

}  // namespace qmux::tunnel

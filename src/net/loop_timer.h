// SPDX-License-Identifier: MIT
//
// The one kernel timer of a loop (timerfd_create(2), nanoseconds on CLOCK_MONOTONIC). It is armed lazily: when a deadline has
// moved later it fires early. That costs one pass with nothing due and saves a system call at each move.
#pragma once

#include "base/time.h"
#include "net/reactor.h"

namespace qmux::net {

class LoopTimer final : Reactor::Events {
 public:
  /// Throws std::system_error when the process has no descriptors left.
  explicit LoopTimer(Reactor& reactor);

  /// A pass begins at `deadline` at the latest. kNever: no wake-up is needed.
  void wake_at(Time deadline);

 private:
  void ready(Readiness) override;

  Descriptor descriptor_;
  Time armed_ = kNever;
};

}  // namespace qmux::net

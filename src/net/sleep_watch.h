// SPDX-License-Identifier: MIT
//
// Notices that this machine has been asleep. The clock of the loops, CLOCK_MONOTONIC, stands still meanwhile, so timeouts do not
// run; CLOCK_BOOTTIME goes on, and the difference between the two is what was slept.
#pragma once

#include <functional>

#include "base/time.h"
#include "net/reactor.h"

namespace qmux::net {

class AsioEventLoop;

class SleepWatch final : Reactor::Events {
 public:
  /// `woke` runs from the loop, soon after the machine has woken, with how long it slept: a second at least. Where the kernel
  /// cannot report it, it never runs.
  SleepWatch(AsioEventLoop& loop, std::move_only_function<void(Duration)> woke);

 private:
  void ready(Readiness) override;
  void watch();

  std::move_only_function<void(Duration)> woke_;
  Descriptor descriptor_;
  Duration slept_;  ///< since the machine has started
};

}  // namespace qmux::net

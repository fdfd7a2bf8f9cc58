// SPDX-License-Identifier: MIT
//
// How long to wait before the next attempt: not at all after the first failure, then twice as long each time up to a bound. A
// random part is subtracted, so that the clients of a restarted server do not all reconnect at once.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/time.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

class Backoff {
 public:
  explicit Backoff(Duration wait_time_max) noexcept : wait_time_max_(wait_time_max) {}

  /// After a failure: between half of the current wait and all of it.
  [[nodiscard]] Duration next(Random& random) noexcept {
    const Duration wait = wait_;
    wait_ = std::min(wait_time_max_, std::max<Duration>(limits::kBackoffTimeMin, 2 * wait));
    if (wait == Duration::zero()) return wait;
    const auto half = static_cast<std::uint64_t>(wait.count()) / 2;
    return Duration(static_cast<Duration::rep>(half + random.below(half + 1)));
  }
  /// The bound, from the next wait on.
  void set_wait_time_max(Duration wait_time_max) noexcept { wait_time_max_ = wait_time_max; }
  /// After a success.
  void reset() noexcept { wait_ = Duration::zero(); }

 private:
  Duration wait_time_max_;
  Duration wait_{0};
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// Time is passed in: only the I/O layer (net/, or the simulator) reads a clock. `Time` is monotonic and has no relation
// to the calendar; it never goes backwards on one event loop.
#pragma once

#include <chrono>
#include <cstdint>

namespace qmux {

using Duration = std::chrono::nanoseconds;

/// The tag of our monotonic clock. It has no now(): ask the event loop for the time of its pass.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Time = MonotonicClock::time_point;

/// For logs; rounded towards zero.
[[nodiscard]] constexpr std::int64_t milliseconds(Duration duration) noexcept {
  return duration / std::chrono::milliseconds(1);
}

/// "Never": later than every deadline.
inline constexpr Time kNever = Time::max();

}  // namespace qmux

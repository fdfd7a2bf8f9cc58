// SPDX-License-Identifier: MIT
#include "tunnel/relay/last_bytes.h"

#include <algorithm>
#include <utility>

#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

constexpr Duration kLookIntervalTimeMin = std::chrono::milliseconds(1);
constexpr Duration kLookIntervalTimeMax = std::chrono::milliseconds(128);

}  // namespace

LastBytes::LastBytes(io::EventLoop& loop, Way way, std::move_only_function<void()> look)
    : loop_(loop),
      way_(way),
      begun_(loop.now()),
      moved_(begun_),
      interval_(kLookIntervalTimeMin),
      look_(loop.timers(), std::move(look)) {
  look_.set(begun_ + interval_);
}

LastBytes::Progress LastBytes::wait(std::size_t left, Duration idle_time_max) {
  const Time now = loop_.now();
  const bool moved = std::exchange(left_, left) != left;
  if (moved) {
    moved_ = now;
    interval_ = kLookIntervalTimeMin;
  }
  const Time until = std::min(moved_ + idle_time_max, begun_ + Duration(limits::kLastBytesTimeMax));
  if (now >= until) return Progress::out_of_time;
  if (!look_.is_set() || moved) {
    look_.set(std::min(now + interval_, until));
    interval_ = std::min(2 * interval_, kLookIntervalTimeMax);
  }
  return moved ? Progress::some : Progress::none;
}

}  // namespace qmux::tunnel

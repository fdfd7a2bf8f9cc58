// SPDX-License-Identifier: MIT
//
// Limits a rate: `per_second` events on average, up to `burst` at once. Time is passed in.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/time.h"

namespace qmux::tunnel {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst, Time now) noexcept
      : per_second_(per_second), burst_(burst), tokens_(burst), filled_(now) {}

  /// Takes one token. False: the event is over the limit.
  [[nodiscard]] bool take(Time now) noexcept {
    tokens_ = std::min(burst_, tokens_ + std::chrono::duration<double>(now - filled_).count() * per_second_);
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;
  Time filled_;
};

}  // namespace qmux::tunnel

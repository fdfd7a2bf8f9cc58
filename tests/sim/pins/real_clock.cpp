// SPDX-License-Identifier: MIT
#include "sim/pins/real_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace qmux::sim {
namespace {

struct timespec read_clock(clockid_t clock) noexcept {
  struct timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return now;
}

}  // namespace

Time real_monotonic_time() noexcept {
  const struct timespec now = read_clock(CLOCK_MONOTONIC);
  return Time(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

std::int64_t real_unix_seconds() noexcept { return read_clock(CLOCK_REALTIME).tv_sec; }

}  // namespace qmux::sim

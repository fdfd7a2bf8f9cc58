// SPDX-License-Identifier: MIT
#include "net/sleep_watch.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include "net/event_loop.h"

namespace qmux::net {
namespace {

/// What the two clocks differ by when they are read one after the other is far less.
constexpr Duration kSleepTimeMin = std::chrono::seconds(1);

Duration read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Duration slept_since_boot() noexcept { return read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC); }

}  // namespace

SleepWatch::SleepWatch(AsioEventLoop& loop, std::move_only_function<void(Duration)> woke)
    : woke_(std::move(woke)), descriptor_(loop.reactor(), *this), slept_(slept_since_boot()) {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd >= 0 && descriptor_.open(fd)) watch();
}

/// The kernel cancels such a timer when the wall clock is set and when the machine wakes (timerfd_create(2)).
void SleepWatch::watch() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  (void)::timerfd_settime(descriptor_.fd(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
  descriptor_.arm(Readiness::read);
}

void SleepWatch::ready(Readiness) {
  std::uint64_t expirations = 0;
  (void)!::read(descriptor_.fd(), &expirations, sizeof expirations);
  watch();
  const Duration before = std::exchange(slept_, slept_since_boot());
  if (slept_ - before >= kSleepTimeMin) woke_(slept_ - before);
}

}  // namespace qmux::net

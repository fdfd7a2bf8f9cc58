// SPDX-License-Identifier: MIT
#include "net/loop_timer.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <system_error>

#include "base/check.h"

namespace qmux::net {

LoopTimer::LoopTimer(Reactor& reactor) : descriptor_(reactor, *this) {
  const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  if (!descriptor_.open(fd)) throw std::system_error(ENOSPC, std::generic_category(), "epoll_ctl");
}

void LoopTimer::wake_at(Time deadline) {
  if (deadline >= armed_) return;
  armed_ = deadline;
  // Zero would disarm it.
  const Duration since_boot = std::max(deadline.time_since_epoch(), Duration(1));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  itimerspec setting{};
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = (since_boot - seconds).count();
  CHECK(::timerfd_settime(descriptor_.fd(), TFD_TIMER_ABSTIME, &setting, nullptr) == 0);
  // Setting it has also cleared an earlier expiry, so nothing needs to be read from it.
  descriptor_.arm(Readiness::read);
}

void LoopTimer::ready(Readiness) { armed_ = kNever; }

}  // namespace qmux::net

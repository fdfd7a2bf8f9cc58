// SPDX-License-Identifier: MIT
#include "net/loop_waker.h"

#include <sys/eventfd.h>

#include <system_error>

#include "base/check.h"

namespace qmux::net {

LoopWaker::LoopWaker(Reactor& reactor) : descriptor_(reactor, *this), fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  if (!descriptor_.open(fd_)) throw std::system_error(ENOSPC, std::generic_category(), "epoll_ctl");
  descriptor_.arm(Readiness::read);
}

void LoopWaker::wake() noexcept {
  if (woken_.exchange(true)) return;
  CHECK(::eventfd_write(fd_, 1) == 0);
}

void LoopWaker::ready(Readiness) {
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(fd_, &count));
  descriptor_.arm(Readiness::read);
  // Before the handler looks for what was posted: a wake from now on begins another pass.
  woken_.store(false);
  if (handler_) handler_();
}

}  // namespace qmux::net

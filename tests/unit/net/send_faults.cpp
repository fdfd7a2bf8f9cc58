// SPDX-License-Identifier: MIT
#include "net/send_faults.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

namespace {

using Course = qmux::net::SendFaults::Course;

thread_local std::deque<Course> planned;
thread_local std::size_t calls = 0;

}  // namespace

extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  ++calls;
  if (!planned.empty()) {
    const Course course = planned.front();
    planned.pop_front();
    if (course.error != 0) {
      errno = course.error;
      return -1;
    }
    count = std::min(count, static_cast<unsigned>(course.messages_max));
  }
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}

namespace qmux::net {

SendFaults::SendFaults(std::initializer_list<Course> courses) { planned = courses; }
SendFaults::~SendFaults() { planned.clear(); }

std::size_t send_call_count() noexcept { return calls; }

}  // namespace qmux::net

// SPDX-License-Identifier: MIT
#include "net/process.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "net/file_descriptor.h"

namespace qmux::net {
namespace {

sigset_t watched_signals() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  // An ignored signal that is blocked still becomes pending, and a signalfd would report it.
  struct sigaction hang_up{};
  ::sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

std::size_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

void take_over_signals() noexcept {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  const sigset_t set = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<void> SignalWatch::begin() {
  const sigset_t set = watched_signals();
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail("cannot watch for signals: " + errno_text(errno));
  if (auto opened = descriptor_.open(fd); !opened) return opened;
  descriptor_.arm(Readiness::read);
  return {};
}

void SignalWatch::ready(Readiness) {
  signalfd_siginfo information{};
  const bool received = ::read(descriptor_.fd(), &information, sizeof information) == sizeof information;
  descriptor_.arm(Readiness::read);
  if (received) handler_(static_cast<int>(information.ssi_signo));
}

}  // namespace qmux::net

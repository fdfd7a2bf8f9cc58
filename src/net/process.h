// SPDX-License-Identifier: MIT
//
// Settings of the whole process: its limits and its signals.
#pragma once

#include <csignal>
#include <cstddef>
#include <functional>

#include "base/result.h"
#include "net/reactor.h"

namespace qmux::net {

/// Raises the limit of open files to the maximum allowed (RLIMIT_NOFILE, soft to hard). Returns the limit in force.
std::size_t raise_descriptor_limit() noexcept;

/// SIGPIPE is ignored; SIGINT, SIGTERM and SIGHUP no longer end the process but wait for a SignalWatch. A SIGHUP that is
/// ignored already stays so and is not reported, as nohup(1) and its like intend. To be called before any other thread
/// starts: threads inherit it.
void take_over_signals() noexcept;

/// Reports SIGINT, SIGTERM and SIGHUP in the loop whose reactor it is given. One a process; needs
/// take_over_signals().
class SignalWatch final : Reactor::Events {
 public:
  using Handler = std::move_only_function<void(int signal)>;
  SignalWatch(Reactor& reactor, Handler handler) : descriptor_(reactor, *this), handler_(std::move(handler)) {}

  /// Fails when the process has no descriptors left.
  [[nodiscard]] Result<void> begin();

 private:
  void ready(Readiness) override;

  Descriptor descriptor_;
  Handler handler_;
};

}  // namespace qmux::net

// SPDX-License-Identifier: MIT
//
// Ends a loop's wait from any thread (eventfd(2)). Wakes coalesce: until the loop has handled one, further wakes cost no system
// call.
#pragma once

#include <atomic>
#include <functional>

#include "net/reactor.h"

namespace qmux::net {

class LoopWaker final : Reactor::Events {
 public:
  /// Throws std::system_error when the process has no descriptors left.
  explicit LoopWaker(Reactor& reactor);

  /// Any thread.
  void wake() noexcept;
  /// Runs in the pass after a wake().
  void set_handler(std::move_only_function<void()> handler) { handler_ = std::move(handler); }

 private:
  void ready(Readiness) override;

  Descriptor descriptor_;
  const int fd_;  ///< other threads must not access the Descriptor
  std::atomic<bool> woken_{false};
  std::move_only_function<void()> handler_;
};

}  // namespace qmux::net

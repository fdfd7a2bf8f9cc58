// SPDX-License-Identifier: MIT
//
// The event loops of a process and their threads: the first runs on the caller's thread and receives the signals, each other one
// runs on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/io/event_loop.h"
#include "base/result.h"
#include "net/event_loop.h"

namespace qmux::app {

class WorkerLoops {
 public:
  /// At least one. Fails when the process has no descriptors left.
  [[nodiscard]] static Result<WorkerLoops> make(std::size_t count);

  [[nodiscard]] std::vector<io::EventLoop*> interfaces() const;
  /// Runs all of them until stop(). The first SIGINT or SIGTERM calls `stop_wanted`; a second one ends the process at once.
  /// SIGHUP is logged and has no other effect.
  [[nodiscard]] Result<void> run(std::move_only_function<void()> stop_wanted);
  /// Any thread.
  void stop() const noexcept;

 private:
  std::vector<std::unique_ptr<net::AsioEventLoop>> loops_;
};

}  // namespace qmux::app

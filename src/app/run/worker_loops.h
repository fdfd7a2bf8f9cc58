// SPDX-License-Identifier: MIT
//
// The event loops of a process and their threads: the first runs on the caller's thread and receives the signals, each other one
// runs on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/io/event_loop.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/loop_waker.h"
#include "net/sleep_watch.h"

namespace qmux::app {

class WorkerLoops {
 public:
  /// At least one. Fails when the process has no descriptors left.
  [[nodiscard]] static Result<WorkerLoops> make(std::size_t count);

  [[nodiscard]] std::vector<io::EventLoop*> interfaces() const;
  /// Runs all of them until stop(). The first SIGINT or SIGTERM calls `stop_wanted`; a second one ends the process at once.
  /// SIGHUP calls `reload_wanted`, until then.
  [[nodiscard]] Result<void> run(std::move_only_function<void()> stop_wanted,
                                 std::move_only_function<void()> reload_wanted);
  /// Runs `work` while every other loop waits, so that it may touch what belongs to them. Call it on the first loop's thread, and
  /// not after stop().
  void exclusively(const std::function<void()>& work);
  [[nodiscard]] net::AsioEventLoop& first() const noexcept { return *loops_.front(); }
  /// Before run(): `woke` runs on each worker's own thread when this machine has been asleep, with the worker's index and for how
  /// long.
  void watch_sleep(const std::function<void(std::size_t worker, Duration asleep)>& woke);
  /// Any thread.
  void stop() const noexcept;

 private:
  /// Where the other loops wait.
  struct Halt {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t waiting = 0;
    bool wanted = false;

    void wait();
  };

  std::unique_ptr<Halt> halt_ = std::make_unique<Halt>();
  std::vector<std::unique_ptr<net::AsioEventLoop>> loops_;
  std::vector<std::unique_ptr<net::LoopWaker>> halts_;  ///< of each loop but the first
  std::vector<std::unique_ptr<net::SleepWatch>> sleep_watches_;
};

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/run/worker_loops.h"

#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include "base/log.h"
#include "net/process.h"

namespace qmux::app {

Result<WorkerLoops> WorkerLoops::make(std::size_t count) {
  WorkerLoops made;
  for (std::size_t i = 0; i < count; ++i) {
    auto loop = net::AsioEventLoop::make();
    if (!loop) return std::unexpected(std::move(loop.error()));
    made.loops_.push_back(std::move(*loop));
    if (i == 0) continue;
    try {
      made.halts_.push_back(std::make_unique<net::LoopWaker>(made.loops_.back()->reactor()));
    } catch (const std::system_error& error) {
      return fail(std::string("cannot make an event loop: ") + error.what());
    }
    made.halts_.back()->set_handler([halt = made.halt_.get()] { halt->wait(); });
  }
  return made;
}

std::vector<io::EventLoop*> WorkerLoops::interfaces() const {
  std::vector<io::EventLoop*> loops;
  loops.reserve(loops_.size());
  for (const auto& loop : loops_) loops.push_back(loop.get());
  return loops;
}

void WorkerLoops::Halt::wait() {
  std::unique_lock lock(mutex);
  if (!wanted) return;
  ++waiting;
  changed.notify_all();
  changed.wait(lock, [this] { return !wanted; });
  --waiting;
  changed.notify_all();
}

void WorkerLoops::exclusively(const std::function<void()>& work) {
  std::unique_lock lock(halt_->mutex);
  halt_->wanted = true;
  for (const auto& halt : halts_) halt->wake();
  halt_->changed.wait(lock, [this] { return halt_->waiting == halts_.size(); });
  lock.unlock();
  work();
  lock.lock();
  halt_->wanted = false;
  halt_->changed.notify_all();
  // All have gone on, so that the next call finds none of them here.
  halt_->changed.wait(lock, [this] { return halt_->waiting == 0; });
}

void WorkerLoops::watch_sleep(const std::function<void(std::size_t worker, Duration asleep)>& woke) {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    sleep_watches_.push_back(
        std::make_unique<net::SleepWatch>(*loops_[i], [woke, i](Duration asleep) { woke(i, asleep); }));
  }
}

Result<void> WorkerLoops::run(std::move_only_function<void()> stop_wanted,
                              std::move_only_function<void()> reload_wanted) {
  bool stopping = false;
  net::SignalWatch signals(loops_.front()->reactor(), [&](int signal) {
    if (signal == SIGHUP) {
      if (!stopping) reload_wanted();
      return;
    }
    if (stopping) {
      log::flush();
      std::_Exit(128 + signal);  // as a shell reports a process ended by that signal
    }
    stopping = true;
    log::info("stopping", {{"signal", signal}});
    stop_wanted();
  });
  if (auto begun = signals.begin(); !begun) return begun;

  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 1; i < loops_.size(); ++i) threads.emplace_back([loop = loops_[i].get()] { loop->run(); });
  } catch (const std::system_error& error) {
    stop();
    return fail(std::string("cannot start a thread: ") + error.what());
  }
  loops_.front()->run();
  return {};
}

void WorkerLoops::stop() const noexcept {
  for (const auto& loop : loops_) loop->stop();
}

}  // namespace qmux::app

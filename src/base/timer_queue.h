// SPDX-License-Identifier: MIT
//
// All timers of one event loop: an indexed min-heap ordered by deadline, then by the order of setting. So a simulated run replays
// exactly.
//
// One thread. A Timer is owned by the object that sets it and is never moved. Destroying it cancels it. Callbacks run from
// expire() only, never from inside set(). A callback may set, cancel or destroy any timer, its own included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"

namespace qmux {

class Timer;

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  /// Every Timer has been destroyed by now.
  ~TimerQueue();

  /// Runs the timers due at `now`, earliest first. A timer that a callback sets for `now` or earlier runs in the next call.
  void expire(Time now);
  /// The earliest deadline; kNever when nothing is set.
  [[nodiscard]] inline Time next() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  friend class Timer;
  void insert(Timer& timer);
  void remove(Timer& timer) noexcept;
  void update(Timer& timer) noexcept;
  void place(std::size_t index, Timer* timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  static bool before(const Timer& a, const Timer& b) noexcept;

  std::vector<Timer*> heap_;
  std::uint64_t sequence_ = 0;
  Timer* running_ = nullptr;     ///< the timer whose callback runs now; nullptr once it is destroyed
  Time earliest_ = Time::min();  ///< no deadline set within expire() is earlier
};

class Timer {
 public:
  using Callback = std::move_only_function<void()>;

  Timer(TimerQueue& queue, Callback callback) : queue_(queue), callback_(std::move(callback)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  /// Due once, at `deadline`, which replaces an earlier setting. kNever cancels.
  void set(Time deadline);
  void cancel() noexcept;
  [[nodiscard]] bool is_set() const noexcept { return index_ != kUnset; }
  /// kNever when not set.
  [[nodiscard]] Time deadline() const noexcept { return is_set() ? deadline_ : kNever; }

 private:
  friend class TimerQueue;
  static constexpr std::size_t kUnset = static_cast<std::size_t>(-1);

  TimerQueue& queue_;
  Callback callback_;
  Time deadline_{};
  std::uint64_t sequence_ = 0;
  std::size_t index_ = kUnset;
};

Time TimerQueue::next() const noexcept { return heap_.empty() ? kNever : heap_.front()->deadline_; }

}  // namespace qmux

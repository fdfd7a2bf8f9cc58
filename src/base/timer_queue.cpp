// SPDX-License-Identifier: MIT
#include "base/timer_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qmux {

TimerQueue::~TimerQueue() { CHECK(heap_.empty()); }

void TimerQueue::expire(Time now) {
  // Timers set from now on carry a higher sequence: they wait for the next call, so that a callback which re-arms itself for
  // `now` cannot block the loop. None of them is earlier than `now`, so they come after all that is due.
  const std::uint64_t last = sequence_;
  earliest_ = now;
  while (!heap_.empty() && heap_.front()->deadline_ <= now && heap_.front()->sequence_ <= last) {
    Timer& due = *heap_.front();
    remove(due);
    // The callback may destroy its timer, and must not be destroyed with it while it runs.
    running_ = &due;
    Timer::Callback callback = std::move(due.callback_);
    callback();
    if (running_ != nullptr) due.callback_ = std::move(callback);
  }
  running_ = nullptr;
  earliest_ = Time::min();
}

bool TimerQueue::before(const Timer& a, const Timer& b) noexcept {
  return a.deadline_ != b.deadline_ ? a.deadline_ < b.deadline_ : a.sequence_ < b.sequence_;
}

void TimerQueue::place(std::size_t index, Timer* timer) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerQueue::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void TimerQueue::remove(Timer& timer) noexcept {
  const std::size_t index = timer.index_;
  timer.index_ = Timer::kUnset;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(index, last);
  update(*last);
}

void TimerQueue::update(Timer& timer) noexcept {
  sift_up(timer.index_);
  sift_down(timer.index_);
}

void TimerQueue::sift_up(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(*timer, *heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void TimerQueue::sift_down(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *timer)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

Timer::~Timer() {
  cancel();
  if (queue_.running_ == this) queue_.running_ = nullptr;
}

void Timer::set(Time deadline) {
  if (deadline == kNever) return cancel();
  deadline_ = std::max(deadline, queue_.earliest_);
  sequence_ = ++queue_.sequence_;
  if (is_set()) {
    queue_.update(*this);
  } else {
    queue_.insert(*this);
  }
}

void Timer::cancel() noexcept {
  if (is_set()) queue_.remove(*this);
}

}  // namespace qmux

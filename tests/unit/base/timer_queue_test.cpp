// SPDX-License-Identifier: MIT
#include "base/timer_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <tuple>

namespace qmux {
namespace {

Time at(int nanoseconds) { return Time(Duration(nanoseconds)); }

TEST(TimerQueue, runs_what_is_due_earliest_first) {
  TimerQueue queue;
  std::vector<int> ran;
  Timer b(queue, [&] { ran.push_back(2); });
  Timer a(queue, [&] { ran.push_back(1); });
  Timer later(queue, [&] { ran.push_back(9); });
  b.set(at(20));
  a.set(at(10));
  later.set(at(31));
  EXPECT_EQ(queue.next(), at(10));
  queue.expire(at(30));
  EXPECT_EQ(ran, (std::vector{1, 2}));
  EXPECT_EQ(queue.next(), at(31));
  EXPECT_FALSE(a.is_set());
  EXPECT_EQ(a.deadline(), kNever);
}

TEST(TimerQueue, runs_equal_deadlines_in_the_order_of_setting) {
  TimerQueue queue;
  std::vector<int> ran;
  Timer a(queue, [&] { ran.push_back(1); });
  Timer b(queue, [&] { ran.push_back(2); });
  Timer c(queue, [&] { ran.push_back(3); });
  a.set(at(5));
  b.set(at(5));
  c.set(at(5));
  a.set(at(5));  // set again: behind the others
  queue.expire(at(5));
  EXPECT_EQ(ran, (std::vector{2, 3, 1}));
}

TEST(TimerQueue, setting_again_replaces_the_deadline_and_never_cancels) {
  TimerQueue queue;
  int ran = 0;
  Timer timer(queue, [&] { ++ran; });
  timer.set(at(10));
  timer.set(at(20));
  queue.expire(at(10));
  EXPECT_EQ(ran, 0);
  timer.set(kNever);
  EXPECT_FALSE(timer.is_set());
  EXPECT_EQ(queue.next(), kNever);
  queue.expire(at(100));
  EXPECT_EQ(ran, 0);
}

TEST(TimerQueue, what_a_callback_sets_for_now_runs_in_the_next_call) {
  TimerQueue queue;
  int ran = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(queue, [&] {
    ++ran;
    timer->set(at(0));
  });
  timer->set(at(1));
  queue.expire(at(5));
  EXPECT_EQ(ran, 1);
  queue.expire(at(5));
  EXPECT_EQ(ran, 2);
  timer->cancel();
}

TEST(TimerQueue, a_callback_that_sets_itself_for_the_past_starves_none) {
  TimerQueue queue;
  std::unique_ptr<Timer> greedy;
  greedy = std::make_unique<Timer>(queue, [&] { greedy->set(at(0)); });
  int ran = 0;
  Timer patient(queue, [&] { ++ran; });
  greedy->set(at(0));
  patient.set(at(3));
  queue.expire(at(5));
  EXPECT_EQ(ran, 1);
  greedy->cancel();
}

TEST(TimerQueue, a_callback_may_destroy_or_cancel_any_timer) {
  TimerQueue queue;
  std::vector<int> ran;
  std::unique_ptr<Timer> self;
  auto other = std::make_unique<Timer>(queue, [&] { ran.push_back(2); });
  Timer third(queue, [&] { ran.push_back(3); });
  // What the callback holds outlives its timer as long as it runs.
  self = std::make_unique<Timer>(queue, [&, held = std::vector<int>(1000, 7)] {
    self.reset();
    other.reset();
    third.cancel();
    ran.push_back(held.back());
  });
  self->set(at(1));
  other->set(at(1));
  third.set(at(1));
  queue.expire(at(2));
  EXPECT_EQ(ran, (std::vector{7}));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(TimerQueue, a_timer_can_be_set_again_after_it_ran) {
  TimerQueue queue;
  int ran = 0;
  Timer timer(queue, [&] { ++ran; });
  for (int i = 1; i <= 3; ++i) {
    timer.set(at(i));
    queue.expire(at(i));
    EXPECT_EQ(ran, i);
  }
}

/// The plainest table of timers: each step sets, cancels, or lets time pass; both must run the same timers in the same order.
RC_GTEST_PROP(TimerQueue, behaves_like_a_sorted_list, ()) {
  constexpr std::size_t kTimers = 12;
  struct Entry {
    Time deadline;
    int sequence;
    std::size_t timer;
    auto operator<=>(const Entry&) const = default;
  };
  TimerQueue queue;
  std::vector<std::size_t> ran;
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::size_t i = 0; i < kTimers; ++i) {
    timers.push_back(std::make_unique<Timer>(queue, [&ran, i] { ran.push_back(i); }));
  }
  std::vector<Entry> model;
  int sequence = 0;
  int now = 0;
  const auto drop = [&](std::size_t timer) {
    std::erase_if(model, [&](const Entry& entry) { return entry.timer == timer; });
  };

  const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::inRange<std::size_t>(0, kTimers), rc::gen::inRange(0, 20)));
  for (const auto& [kind, timer, amount] : steps) {
    if (kind == 0) {
      drop(timer);
      timers[timer]->cancel();
    } else if (kind == 1) {
      now += amount / 4;
      ran.clear();
      queue.expire(at(now));
      std::ranges::sort(model);
      std::vector<std::size_t> due;
      for (const Entry& entry : model) {
        if (entry.deadline <= at(now)) due.push_back(entry.timer);
      }
      for (const std::size_t each : due) drop(each);
      RC_ASSERT(ran == due);
    } else {
      drop(timer);
      model.push_back({at(now + amount), ++sequence, timer});
      timers[timer]->set(at(now + amount));
    }
    const auto next = std::ranges::min_element(model);
    RC_ASSERT(queue.next() == (next == model.end() ? kNever : next->deadline));
    RC_ASSERT(queue.size() == model.size());
  }
}

}  // namespace
}  // namespace qmux

// SPDX-License-Identifier: MIT
#include "app/run/worker_loops.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace qmux::app {
namespace {

using namespace std::chrono_literals;

/// Passes without end, each of which changes a number of its own.
struct Busy final : io::EventLoop::PassEvents {
  explicit Busy(io::EventLoop& its_loop) : loop(its_loop) { loop.set_pass_events(this); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { loop.set_pass_events(nullptr); }
  void end_of_pass(Time) override {
    ++passes;
    loop.request_pass();
  }
  io::EventLoop& loop;
  std::uint64_t passes = 0;  ///< not atomic: read while the loop waits
};

TEST(WorkerLoops, all_others_wait_while_work_is_done_exclusively) {
  constexpr int kRounds = 200;
  auto loops = WorkerLoops::make(4);
  ASSERT_TRUE(loops);
  const auto interfaces = loops->interfaces();
  std::vector<std::unique_ptr<Busy>> others;
  for (std::size_t i = 1; i < interfaces.size(); ++i) others.push_back(std::make_unique<Busy>(*interfaces[i]));
  int rounds = 0;
  std::uint64_t moved = 0;
  Timer work(interfaces[0]->timers(), [&] {
    loops->exclusively([&] {
      std::vector<std::uint64_t> before;
      for (const auto& each : others) before.push_back(each->passes);
      for (std::size_t i = 0; i < others.size(); ++i) moved += others[i]->passes - before[i];
    });
    if (++rounds == kRounds) return loops->stop();
    work.set(interfaces[0]->now() + 1ms);
  });
  work.set(interfaces[0]->now());
  ASSERT_TRUE(loops->run([] {}, [] {}));
  EXPECT_EQ(rounds, kRounds);
  EXPECT_EQ(moved, 0U);
  for (const auto& each : others) EXPECT_GT(each->passes, 0U);
}

}  // namespace
}  // namespace qmux::app

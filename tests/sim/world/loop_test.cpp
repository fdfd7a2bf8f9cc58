// SPDX-License-Identifier: MIT
#include "sim/world/loop.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/pair.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

struct PassLog final : io::EventLoop::PassEvents {
  explicit PassLog(io::EventLoop& l) : loop(l) { loop.set_pass_events(this); }
  void end_of_pass(Time now) override {
    passes.push_back(now);
    if (more > 0) {
      --more;
      loop.request_pass();
    }
  }
  io::EventLoop& loop;
  std::vector<Time> passes;
  int more = 0;
};

TEST(SimLoop, a_frozen_one_runs_its_timers_when_it_goes_on) {
  Pair pair;
  const Time start = pair.world.now();
  Time ran{};
  Timer timer(pair.a.timers(), [&] { ran = pair.a.now(); });
  timer.set(start + 10ms);
  pair.a.set_frozen(true);
  pair.run_for(5s);
  EXPECT_EQ(ran, Time{});
  pair.a.set_frozen(false);
  pair.run_for(1s);
  EXPECT_GE(ran, start + 5s);
  EXPECT_LE(ran, start + 5s + 1ms);
}

TEST(SimLoop, runs_timers_at_their_time_in_the_order_of_deadlines) {
  Pair pair;
  const Time start = pair.world.now();
  std::vector<std::pair<int, Time>> ran;
  Timer late(pair.a.timers(), [&] { ran.emplace_back(2, pair.a.now()); });
  Timer early(pair.a.timers(), [&] { ran.emplace_back(1, pair.a.now()); });
  late.set(start + 20ms);
  early.set(start + 10ms);
  pair.run_for(1s);
  EXPECT_EQ(ran, (std::vector<std::pair<int, Time>>{{1, start + 10ms}, {2, start + 20ms}}));
}

TEST(SimLoop, a_requested_pass_comes_soon_and_each_ends_with_its_observer) {
  Pair pair;
  PassLog log(pair.a);
  log.more = 3;
  pair.a.request_pass();
  pair.run_for(1s);
  ASSERT_EQ(log.passes.size(), 4U);
  EXPECT_LE(log.passes.back() - World::kStart, 200us);
}

TEST(SimLoop, wakes_coalesce) {
  Pair pair;
  int woken = 0;
  pair.b.set_wake_handler([&] { ++woken; });
  pair.b.wake();
  pair.b.wake();
  pair.run_for(1s);
  EXPECT_EQ(woken, 1);
  pair.b.wake();
  pair.run_for(1s);
  EXPECT_EQ(woken, 2);
}

TEST(SimLoop, resolves_names_literals_and_reports_unknown_ones) {
  Pair pair;
  std::vector<std::string> results;
  const auto note = [&](Result<std::vector<Address>> result) {
    results.push_back(result ? result->front().text() : result.error().what);
  };
  const auto name = pair.a.resolve({"b", 443}, note);
  const auto literal = pair.a.resolve({"::1", 5}, note);
  const auto unknown = pair.a.resolve({"nowhere", 1}, note);
  auto cancelled = pair.a.resolve({"b", 1}, note);
  cancelled.reset();
  EXPECT_TRUE(results.empty());
  pair.run_for(1s);
  std::ranges::sort(results);
  EXPECT_EQ(results, (std::vector<std::string>{pair.b_host.v4(443).text(), "[::1]:5", "no such host"}));
}

TEST(SimLoop, keeps_the_calendar_by_the_virtual_clock) {
  Pair pair;
  pair.run_for(90s);
  EXPECT_EQ(pair.a.unix_seconds(), World::kEpochUnixSeconds + 90);
}

TEST(World, a_new_stream_of_randomness_shifts_no_other) {
  World one(7);
  World two(7);
  (void)two.random("newcomer");
  EXPECT_EQ(one.random("x").next(), two.random("x").next());
  EXPECT_NE(one.random("x").next(), two.random("y").next());
}

TEST(World, the_same_seed_gives_the_same_trace_and_another_seed_another) {
  const auto run = [](std::uint64_t seed) {
    Pair pair(seed, {.jitter = 3ms, .loss = 0.1});
    struct Quiet final : io::DatagramSocket::Events {
      void datagrams_readable() override {}
      void datagrams_writable() override {}
    } quiet;
    const auto socket = *pair.a.open_datagram({.local = Address::any(AF_INET, 0), .remote = pair.b_host.v4(9)}, quiet);
    for (int i = 0; i < 100; ++i) {
      (void)socket->send({.local = {}, .remote = {}, .bytes = as_bytes("ping"), .segment_bytes = 4});
    }
    pair.run_for(1s);
    EXPECT_GT(pair.world.trace().event_count(), 100U);
    return pair.world.trace().hash();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(World, a_plan_may_end_in_another_plan) {
  World world(1);
  std::vector<int> order;
  world.after(2ms, [&] { order.push_back(2); });
  world.after(1ms, [&] {
    order.push_back(1);
    world.after(5ms, [&] { order.push_back(3); });
  });
  EXPECT_TRUE(world.run_until([&] { return order.size() == 3; }, 1s));
  EXPECT_EQ(world.elapsed(), 6ms);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace qmux::sim

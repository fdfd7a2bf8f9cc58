// SPDX-License-Identifier: MIT
#include "tunnel/relay/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/chunk.h"

namespace qmux::tunnel {
namespace {

constexpr std::size_t kChunk = Chunk::kAllocatedBytes;

struct Holding final : MemoryBudget::Holder {
  Holding(MemoryBudget& budget, std::string named, std::string& evicted_names)
      : Holder(budget), name(std::move(named)), evicted_order(evicted_names) {}
  using Holder::charge;
  using Holder::release;
  bool has_progressed() override { return std::exchange(progresses, false); }
  void evicted() override {
    evicted_order += name;
    if (when_evicted) when_evicted();
  }
  using Holder::is_tight;
  std::string name;
  std::string& evicted_order;
  std::function<void()> when_evicted;
  bool progresses = false;
};

class MemoryBudgetOf4Chunks : public ::testing::Test {
 protected:
  MemoryLimit limit{4 * kChunk, 1};
  Counter evictions;
  MemoryBudget budget{limit, evictions};
  std::string evicted;
  Holding a{budget, "a", evicted};
  Holding b{budget, "b", evicted};
  Holding c{budget, "c", evicted};
};

TEST_F(MemoryBudgetOf4Chunks, charges_whole_chunks) {
  a.charge(1, false);
  EXPECT_EQ(budget.held_bytes(), kChunk);
  a.charge(Chunk::kCapacityBytes + 1, false);
  EXPECT_EQ(budget.held_bytes(), 2 * kChunk);
  a.release();
  EXPECT_EQ(budget.held_bytes(), 0U);
  EXPECT_EQ(budget.holder_count(), 0U);
}

TEST_F(MemoryBudgetOf4Chunks, evicts_none_at_the_limit) {
  a.charge(4 * Chunk::kCapacityBytes, false);
  EXPECT_FALSE(budget.make_room());
  EXPECT_EQ(evicted, "");
}

TEST_F(MemoryBudgetOf4Chunks, evicts_in_the_order_of_getting_stuck) {
  a.charge(1, false);
  b.charge(1, false);
  a.charge(2, false);
  c.charge(4 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "ab");
  EXPECT_EQ(evictions, 2U);
}

TEST_F(MemoryBudgetOf4Chunks, progress_makes_one_the_last_in_order) {
  a.charge(1, false);
  b.charge(1, false);
  a.charge(1, true);
  c.charge(3 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "b");
}

TEST_F(MemoryBudgetOf4Chunks, spares_whose_far_end_has_taken_something_meanwhile) {
  a.charge(1, false);
  b.charge(1, false);
  a.progresses = true;
  c.charge(3 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "b");
  b.charge(1, false);
  budget.make_room();
  EXPECT_EQ(evicted, "bc") << "a is the last in order, and b has come after";
}

TEST_F(MemoryBudgetOf4Chunks, evicts_even_when_everybody_progresses) {
  for (Holding* each : {&a, &b, &c}) each->progresses = true;
  a.charge(1, false);
  b.charge(1, false);
  c.charge(3 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "a");
}

TEST(MemoryLimit, is_one_for_all_workers_of_which_those_evict_who_hold_more_than_their_share) {
  MemoryLimit limit(8 * kChunk, 2);
  Counter evictions;
  MemoryBudget greedy(limit, evictions);
  MemoryBudget modest(limit, evictions);
  std::string evicted;
  Holding a(greedy, "a", evicted);
  Holding b(greedy, "b", evicted);
  Holding c(modest, "c", evicted);
  a.charge(4 * Chunk::kCapacityBytes, false);
  b.charge(4 * Chunk::kCapacityBytes, false);
  EXPECT_FALSE(greedy.make_room());
  EXPECT_EQ(evicted, "") << "no other tunnel needs it";
  c.charge(4 * Chunk::kCapacityBytes, false);
  EXPECT_FALSE(modest.make_room());
  EXPECT_EQ(evicted, "") << "its own share";
  b.charge(4 * Chunk::kCapacityBytes + 1, false);
  EXPECT_TRUE(greedy.make_room());
  EXPECT_EQ(evicted, "ab");
  EXPECT_FALSE(limit.exceeded());
}

TEST(MemoryLimit, when_tight_holds_back_only_those_that_hold_more_than_their_fair_share) {
  MemoryLimit limit(64 * kChunk, 1);
  Counter evictions;
  MemoryBudget budget(limit, evictions);
  std::string evicted;
  Holding large(budget, "large", evicted);
  Holding small(budget, "small", evicted);
  small.charge(2 * Chunk::kCapacityBytes, false);
  large.charge(20 * Chunk::kCapacityBytes, false);
  EXPECT_FALSE(large.is_tight()) << "less than half of the limit is held";
  large.charge(40 * Chunk::kCapacityBytes, false);
  EXPECT_TRUE(large.is_tight());
  EXPECT_FALSE(small.is_tight());
}

TEST_F(MemoryBudgetOf4Chunks, evicts_only_when_asked_for_room) {
  a.charge(5 * Chunk::kCapacityBytes, false);
  EXPECT_EQ(evicted, "") << "no callback runs inside a call made by its receiver";
  EXPECT_TRUE(budget.make_room());
  EXPECT_EQ(evicted, "a");
}

TEST_F(MemoryBudgetOf4Chunks, may_evict_the_one_that_held_last) {
  a.charge(5 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "a");
  EXPECT_EQ(budget.held_bytes(), 0U);
}

TEST_F(MemoryBudgetOf4Chunks, may_destroy_whom_it_evicts) {
  auto d = std::make_unique<Holding>(budget, "d", evicted);
  d->when_evicted = [&] { d.reset(); };
  d->charge(5 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(d, nullptr);
  EXPECT_EQ(budget.held_bytes(), 0U);
}

TEST_F(MemoryBudgetOf4Chunks, forgets_who_is_destroyed) {
  auto d = std::make_unique<Holding>(budget, "d", evicted);
  a.charge(1, false);
  d->charge(1, false);
  b.charge(1, false);
  d.reset();
  EXPECT_EQ(budget.holder_count(), 2U);
  c.charge(4 * Chunk::kCapacityBytes, false);
  budget.make_room();
  EXPECT_EQ(evicted, "ab");
}

TEST_F(MemoryBudgetOf4Chunks, holding_nothing_is_releasing) {
  a.charge(1, false);
  a.charge(0, true);
  EXPECT_EQ(budget.holder_count(), 0U);
}

}  // namespace
}  // namespace qmux::tunnel

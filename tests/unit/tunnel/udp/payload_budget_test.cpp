// SPDX-License-Identifier: MIT
#include "tunnel/udp/payload_budget.h"

#include <gtest/gtest.h>

#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

class Account final : public PayloadAccount {
 public:
  explicit Account(PayloadBudget& budget) : PayloadAccount(budget) {}
  void hold(std::size_t bytes) { charge(held_bytes(), bytes); }
  std::size_t drops = 0;

 private:
  void drop_down_to(std::size_t bytes) override {
    ++drops;
    hold(bytes);
  }
};

TEST(PayloadBudget, one_account_takes_no_more_than_half) {
  PayloadBudget budget(1000);
  Account account(budget);
  EXPECT_EQ(account.bytes_max(), 500U);
  account.hold(500);
  EXPECT_FALSE(account.has_room());
  EXPECT_TRUE(budget.has_room());
  account.hold(0);
  EXPECT_EQ(budget.held_bytes(), 0U);
}

TEST(PayloadBudget, an_account_of_a_large_budget_has_a_limit_of_its_own) {
  PayloadBudget budget(limits::kUdpWaitingBytesMax);
  Account account(budget);
  EXPECT_EQ(account.bytes_max(), limits::kUdpConnectionWaitingBytesMax);
}

TEST(PayloadBudget, when_it_is_used_up_the_account_that_holds_most_gives_way) {
  PayloadBudget budget(1000);
  Account quiet(budget);
  Account stalled(budget);
  Account busy(budget);
  stalled.hold(480);
  busy.hold(400);
  quiet.hold(120);
  quiet.make_room();
  EXPECT_EQ(stalled.drops, 1U);
  EXPECT_EQ(stalled.held_bytes(), 420U);
  EXPECT_EQ(busy.drops + quiet.drops, 0U);
  EXPECT_TRUE(quiet.has_room());
  quiet.make_room();
  EXPECT_EQ(stalled.drops, 1U) << "there is room";
}

TEST(PayloadBudget, forgets_an_account_that_is_destroyed) {
  PayloadBudget budget(1000);
  Account one(budget);
  {
    Account other(budget);
    other.hold(10);
    other.hold(0);
  }
  one.hold(1000);
  one.make_room();
  EXPECT_EQ(one.drops, 1U);
}

}  // namespace
}  // namespace qmux::tunnel

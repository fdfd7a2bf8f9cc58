// SPDX-License-Identifier: MIT
#include "net/background.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "net/loop_fixture.h"

namespace qmux::net {
namespace {

class BackgroundTest : public LoopTest {};

TEST_F(BackgroundTest, works_on_another_thread_and_reports_on_that_of_the_loop) {
  Background<std::unique_ptr<std::thread::id>> background(loop_.reactor());
  std::unique_ptr<std::thread::id> worked;
  std::thread::id reported;
  ASSERT_TRUE(background.begin([] { return std::make_unique<std::thread::id>(std::this_thread::get_id()); },
                               [&](std::unique_ptr<std::thread::id> result) {
                                 worked = std::move(result);
                                 reported = std::this_thread::get_id();
                               }));
  EXPECT_EQ(worked, nullptr);
  ASSERT_TRUE(run_until([&] { return worked != nullptr; }));
  EXPECT_NE(*worked, std::this_thread::get_id());
  EXPECT_EQ(reported, std::this_thread::get_id());
}

TEST_F(BackgroundTest, may_be_destroyed_at_any_time) {
  bool reported = false;
  auto first = std::make_unique<Background<int>>(loop_.reactor());
  ASSERT_TRUE(first->begin([] { return 1; }, [&](int) { reported = true; }));
  first.reset();
  auto second = std::make_unique<Background<int>>(loop_.reactor());
  bool done = false;
  ASSERT_TRUE(second->begin([] { return 2; },
                            [&](int) {
                              second.reset();
                              done = true;
                            }));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_FALSE(reported);
}

}  // namespace
}  // namespace qmux::net

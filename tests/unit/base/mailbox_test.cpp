// SPDX-License-Identifier: MIT
#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace qmux {
namespace {

using Box = Mailbox<std::unique_ptr<int>>;

TEST(Mailbox, keeps_the_order_and_names_the_first) {
  Box box(8);
  EXPECT_EQ(box.post(std::make_unique<int>(1)), Box::Posted::queued_first);
  EXPECT_EQ(box.post(std::make_unique<int>(2)), Box::Posted::queued);
  std::vector<std::unique_ptr<int>> taken;
  box.take(taken);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(*taken[0], 1);
  EXPECT_EQ(*taken[1], 2);
  EXPECT_EQ(box.post(std::make_unique<int>(3)), Box::Posted::queued_first);
}

TEST(Mailbox, a_full_or_closed_box_leaves_the_message_with_the_poster) {
  Box box(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(box.post(std::move(first)), Box::Posted::queued_first);
  EXPECT_EQ(box.post(std::move(second)), Box::Posted::refused);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(box.overflows(), 1U);
  box.close();
  std::vector<std::unique_ptr<int>> taken;
  box.take(taken);
  EXPECT_EQ(taken.size(), 1U);
  EXPECT_EQ(box.post(std::move(second)), Box::Posted::refused);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(box.overflows(), 1U) << "closed is not full";
}

TEST(Mailbox, loses_nothing_between_threads) {
  constexpr int kMessages = 20'000;
  Mailbox<int> box(kMessages);
  std::atomic<int> wakes = 0;
  std::thread poster([&] {
    for (int i = 0; i < kMessages; ++i) {
      if (box.post(int(i)) == Mailbox<int>::Posted::queued_first) ++wakes;
    }
  });
  std::vector<int> taken;
  int expected = 0;
  while (expected < kMessages) {
    if (wakes.exchange(0) == 0) {
      std::this_thread::yield();
      continue;
    }
    box.take(taken);
    for (const int message : taken) EXPECT_EQ(message, expected++);
  }
  poster.join();
}

}  // namespace
}  // namespace qmux

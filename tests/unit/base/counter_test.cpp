// SPDX-License-Identifier: MIT
#include "base/counter.h"

#include <gtest/gtest.h>

#include <thread>

namespace qmux {
namespace {

TEST(Counter, may_be_read_from_another_thread_while_it_counts) {
  constexpr std::uint64_t kEvents = 100'000;
  Counter counter;
  std::jthread reader([&] {
    std::uint64_t before = 0;
    while (before < kEvents) {
      const std::uint64_t now = counter;
      EXPECT_GE(now, before);
      before = now;
    }
  });
  for (std::uint64_t i = 0; i < kEvents; ++i) ++counter;
}

}  // namespace
}  // namespace qmux

// SPDX-License-Identifier: MIT
#include "wire/fragment_ids.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kIds = 65535;

TEST(FragmentIds, count_up_from_a_random_start) {
  FragmentIds ids(4711, false);
  EXPECT_EQ(ids.next(Time{}), 4711);
  EXPECT_EQ(ids.next(Time{}), 4712);
}

TEST(FragmentIds, leave_out_the_id_of_escapes) {
  FragmentIds ids(65535, true);
  EXPECT_EQ(ids.next(Time{}), 65535);
  EXPECT_EQ(ids.next(Time{}), 1);
  EXPECT_EQ(FragmentIds(kEscapeFragmentId, true).next(Time{}), 1);
}

TEST(FragmentIds, run_out_towards_a_go_receiver) {
  FragmentIds ids(1, false);
  for (std::size_t i = 0; i < kIds; ++i) ASSERT_TRUE(ids.next(Time{})) << i;
  EXPECT_FALSE(ids.next(Time{}));
  EXPECT_FALSE(ids.next(Time{limits::kFragmentIdReuseTimeMin} - 1ns));
  EXPECT_EQ(ids.next(Time{limits::kFragmentIdReuseTimeMin}), 1);
}

TEST(FragmentIds, never_run_out_with_frag_seq) {
  FragmentIds ids(30000, true);
  for (std::size_t i = 0; i < 3 * kIds; ++i) {
    const auto id = ids.next(Time{});
    ASSERT_TRUE(id);
    ASSERT_NE(*id, kEscapeFragmentId);
  }
}

TEST(FragmentIds, leave_few_unused_under_pressure) {
  FragmentIds ids(123, false);
  std::size_t handed_out = 0;
  for (Time now{}; now < Time{150s}; now += 10us) handed_out += ids.next(now) ? 1 : 0;
  EXPECT_GT(handed_out, 10 * kIds * 63 / 64 - 1024);
}

RC_GTEST_PROP(FragmentIds, rest_before_they_come_again, (std::uint16_t start)) {
  FragmentIds ids(start, false);
  std::vector<std::optional<Time>> used(kIds + 1);
  Time now{};
  std::optional<std::uint16_t> last;
  for (int burst = 0; burst < 20; ++burst) {
    for (auto wanted = *rc::gen::inRange<std::size_t>(0, 20'000); wanted > 0; --wanted) {
      const auto id = ids.next(now);
      if (!id) break;
      RC_ASSERT(*id != kEscapeFragmentId);
      if (last) RC_ASSERT(*id == (*last == 65535 ? 1 : *last + 1));
      last = id;
      if (used[*id]) RC_ASSERT(now - *used[*id] >= limits::kFragmentIdReuseTimeMin);
      used[*id] = now;
    }
    now += std::chrono::milliseconds(*rc::gen::inRange(0, 5000));
  }
}

}  // namespace
}  // namespace qmux::wire

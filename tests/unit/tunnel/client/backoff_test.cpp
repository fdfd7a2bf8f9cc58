// SPDX-License-Identifier: MIT
#include "tunnel/client/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace qmux::tunnel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Gives the same byte for ever.
class Constant final : public Random {
 public:
  explicit Constant(std::byte value) : value_(value) {}
  void fill(MutableBytes into) noexcept override { std::ranges::fill(into, value_); }

 private:
  std::byte value_;
};

TEST(Backoff, the_first_failure_is_followed_at_once) {
  Constant random{std::byte{7}};
  Backoff backoff(seconds(30));
  EXPECT_EQ(backoff.next(random), Duration::zero());
}

TEST(Backoff, waits_double_up_to_the_bound) {
  Constant random{std::byte{0}};  // the whole random part off: half of each wait
  Backoff backoff(seconds(2));
  EXPECT_EQ(backoff.next(random), Duration::zero());
  EXPECT_EQ(backoff.next(random), milliseconds(250));
  EXPECT_EQ(backoff.next(random), milliseconds(500));
  EXPECT_EQ(backoff.next(random), seconds(1));
  EXPECT_EQ(backoff.next(random), seconds(1));
}

TEST(Backoff, never_exceeds_the_bound) {
  Constant random{std::byte{0xc3}};
  Backoff backoff(seconds(2));
  for (int i = 0; i < 20; ++i) EXPECT_LE(backoff.next(random), seconds(2));
}

TEST(Backoff, success_starts_over) {
  Constant random{std::byte{9}};
  Backoff backoff(seconds(30));
  for (int i = 0; i < 5; ++i) (void)backoff.next(random);
  backoff.reset();
  EXPECT_EQ(backoff.next(random), Duration::zero());
}

}  // namespace
}  // namespace qmux::tunnel

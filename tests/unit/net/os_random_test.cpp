// SPDX-License-Identifier: MIT
#include "net/os_random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace qmux::net {
namespace {

TEST(OsRandom, never_repeats_within_or_across_its_blocks) {
  OsRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random.next_u64()).second);
  EXPECT_FALSE(seen.contains(0));
}

TEST(OsRandom, fills_every_length) {
  OsRandom random;
  for (const std::size_t size : {0U, 1U, 255U, 256U, 257U, 10'000U}) {
    // 16 fills all leave the same byte untouched with probability 2^-128.
    std::vector<std::byte> any(size);
    for (int i = 0; i < 16; ++i) {
      std::vector<std::byte> bytes(size);
      random.fill(bytes);
      for (std::size_t at = 0; at < size; ++at) any[at] |= bytes[at];
    }
    for (const std::byte byte : any) EXPECT_NE(byte, std::byte{0});
  }
}

}  // namespace
}  // namespace qmux::net

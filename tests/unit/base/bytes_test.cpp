// SPDX-License-Identifier: MIT
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace qmux {
namespace {

TEST(Bytes, copies_all_of_a_view_and_touches_nothing_behind) {
  std::array<std::byte, 4> to{};
  copy_bytes(as_bytes("abc"), to);
  EXPECT_EQ(as_text(to), std::string_view("abc\0", 4));
}

TEST(Bytes, copies_nothing_from_an_empty_view) {
  copy_bytes({}, {});
  std::array<std::byte, 1> to{std::byte{7}};
  copy_bytes({}, to);
  EXPECT_EQ(to[0], std::byte{7});
}

}  // namespace
}  // namespace qmux

// SPDX-License-Identifier: MIT
#include "base/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <new>
#include <ostream>

namespace qmux {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!Streamable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(Secret, gives_its_bytes_to_who_asks_for_them) {
  const Secret secret("open sesame");
  EXPECT_EQ(as_text(secret.expose()), "open sesame");
  EXPECT_EQ(secret.size_bytes(), 11U);
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, copies_and_moves) {
  Secret first("one");
  const Secret copy = first;
  Secret second = std::move(first);
  EXPECT_EQ(as_text(copy.expose()), "one");
  EXPECT_EQ(as_text(second.expose()), "one");
  second = Secret("two");
  EXPECT_EQ(as_text(second.expose()), "two");
}

TEST(Secret, leaves_no_short_text_behind) {
  // Short enough to be kept inside of the object itself, whose storage outlives it here.
  alignas(Secret) std::byte storage[sizeof(Secret)];
  auto* secret = new (storage) Secret("open sesame");
  ASSERT_NE(as_text(storage).find("sesame"), std::string_view::npos);
  Secret moved = std::move(*secret);
  EXPECT_EQ(as_text(storage).find("sesame"), std::string_view::npos) << "after a move";
  *secret = moved;
  std::destroy_at(secret);
  EXPECT_EQ(as_text(storage).find("sesame"), std::string_view::npos) << "after its end";
}

}  // namespace
}  // namespace qmux

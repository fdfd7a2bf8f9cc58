// SPDX-License-Identifier: MIT
#include "base/printable.h"

#include <gtest/gtest.h>

namespace qmux {
namespace {

TEST(Printable, leaves_text_as_it_is) {
  EXPECT_EQ(printable("a \"b\" \\ \u00fc \u00a3 \u65e5"), "a \"b\" \\ \u00fc \u00a3 \u65e5");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, shows_control_characters_by_their_code_points) {
  EXPECT_EQ(printable("a\nb\x1b[2J\x7f"), R"(a\u000ab\u001b[2J\u007f)");
  EXPECT_EQ(printable(std::string_view("\0", 1)), R"(\u0000)");
}

TEST(Printable, shows_those_beyond_ascii_too) {
  EXPECT_EQ(printable("\u009b2J\u0080"), R"(\u009b2J\u0080)");
  EXPECT_EQ(printable("\xc2"), "\xc2");
}

TEST(Printable, quotes_what_it_is_told_to) {
  std::string out = "<";
  append_printable(out, "a\"b\\", "\"\\");
  EXPECT_EQ(out, R"(<a\"b\\)");
}

TEST(Shown, is_bounded_and_of_printable_ascii) {
  EXPECT_EQ(shown("plain text", 10), "plain text");
  EXPECT_EQ(shown("plain text!", 10), "plain text...");
  EXPECT_EQ(shown("a\x1b[2J\nb\xc3\xa9", 80), "a?[2J?b??");
  EXPECT_EQ(shown("", 80), "");
}

TEST(Printable, bytes_as_hexadecimal_digits) {
  EXPECT_EQ(hex({}), "");
  EXPECT_EQ(hex(as_bytes(std::string_view("\x00\x0f\xa5\xff", 4))), "000fa5ff");
}

}  // namespace
}  // namespace qmux

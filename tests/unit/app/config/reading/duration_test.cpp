// SPDX-License-Identifier: MIT
#include "app/config/reading/duration.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>

namespace qmux::app {
namespace {

using namespace std::chrono_literals;

Duration parsed(std::string_view text) {
  const auto value = parse_duration(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Duration(-1));
}

bool refused(std::string_view text) { return !parse_duration(text).has_value(); }

TEST(Duration, reads_every_unit) {
  EXPECT_EQ(parsed("7ns"), 7ns);
  EXPECT_EQ(parsed("7us"), 7us);
  EXPECT_EQ(parsed("7\u00b5s"), 7us);
  EXPECT_EQ(parsed("7\u03bcs"), 7us);
  EXPECT_EQ(parsed("7ms"), 7ms);
  EXPECT_EQ(parsed("7s"), 7s);
  EXPECT_EQ(parsed("7m"), 7min);
  EXPECT_EQ(parsed("7h"), 7h);
}

TEST(Duration, adds_up_parts_in_any_order) {
  EXPECT_EQ(parsed("1h15m30.918s"), 1h + 15min + 30s + 918ms);
  EXPECT_EQ(parsed("5s10h1ms"), 10h + 5s + 1ms);
  EXPECT_EQ(parsed("1s1s"), 2s);
}

TEST(Duration, reads_signs_and_fractions) {
  EXPECT_EQ(parsed("-1.5h"), -90min);
  EXPECT_EQ(parsed("+5s"), 5s);
  EXPECT_EQ(parsed(".5s"), 500ms);
  EXPECT_EQ(parsed("5.s"), 5s);
  EXPECT_EQ(parsed("0.3333333333333333333h"), 20min - 1ns) << "finer than a nanosecond is cut off";
  EXPECT_EQ(parsed("0.100000000000000000000h"), 6min);
}

TEST(Duration, takes_zero_without_a_unit_and_nothing_else) {
  EXPECT_EQ(parsed("0"), 0s);
  EXPECT_EQ(parsed("-0"), 0s);
  EXPECT_EQ(parsed("+0"), 0s);
  EXPECT_TRUE(refused("3"));
  EXPECT_TRUE(refused("-3"));
  EXPECT_TRUE(refused("00"));
  EXPECT_TRUE(refused("1h30"));
}

TEST(Duration, refuses_what_is_no_duration) {
  for (const auto* text : {"",   "-",  "+",    "s",     ".",    ".s",   "+.s",   "-.",  "1 s",     " 1s",   "1s ",
                           "1d", "1S", "1e3s", "1m-1s", "0x1s", "--1s", "1..5s", "1s.", "forever", "1\xc2s"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
}

TEST(Duration, holds_all_that_64_bits_of_nanoseconds_hold_and_no_more) {
  EXPECT_EQ(parsed("9223372036854775807ns"), Duration::max());
  EXPECT_EQ(parsed("9223372036854775.807us"), Duration::max());
  EXPECT_EQ(parsed("9223372036s854ms775us807ns"), Duration::max());
  EXPECT_EQ(parsed("-9223372036854775808ns"), Duration::min());
  for (const auto* text : {"9223372036854775808ns", "-9223372036854775809ns", "9223372036854775.808us", "3000000h",
                           "18446744073709551616ns", "9223372036854ms775us808ns", "99999999999999999999999h"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
}

TEST(Duration, says_what_is_wrong) {
  EXPECT_EQ(parse_duration("30").error().text(),
            "the duration \"30\" has no unit (expected a number with a unit, such as 300ms, 1.5h or 1h15m30s "
            "(units ns us ms s m h))");
  EXPECT_EQ(parse_duration("3000000h").error().text(),
            "the duration \"3000000h\" is too long (expected at most 2562047h)");
}

TEST(Duration, prints_the_shortest_text) {
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(5min), "5m");
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(8760h), "8760h");
  EXPECT_EQ(duration_text(1500us), "1.5ms");
  EXPECT_EQ(duration_text(1h + 50ms), "1h0.05s");
  EXPECT_EQ(duration_text(-2s), "-2s");
}

RC_GTEST_PROP(DurationProperty, reads_back_what_it_prints, (std::int64_t nanoseconds, std::uint8_t shift)) {
  const Duration value(nanoseconds >> (shift % 64));
  RC_ASSERT(parse_duration(duration_text(value)).value() == value);
}

RC_GTEST_PROP(DurationProperty, survives_any_text, (const std::string& text)) {
  const auto value = parse_duration(text);
  RC_ASSERT(value.has_value() || !value.error().what.empty());
}

RC_GTEST_PROP(DurationProperty, adds_what_is_written_side_by_side, (std::uint16_t hours, std::uint16_t milliseconds)) {
  const std::string text = std::to_string(hours) + "h" + std::to_string(milliseconds) + "ms";
  RC_ASSERT(parse_duration(text).value() == std::chrono::hours(hours) + std::chrono::milliseconds(milliseconds));
}

}  // namespace
}  // namespace qmux::app

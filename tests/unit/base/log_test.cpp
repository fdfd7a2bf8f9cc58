// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <gtest/gtest.h>

#include <vector>

namespace qmux::log {
namespace {

TEST(Log, text_quotes_only_what_needs_it) {
  const std::vector<Field> fields{{"remote", "[::1]:80"}, {"cause", "went away"}, {"name", ""}, {"count", 3}};
  EXPECT_EQ(format_event(Format::text, "tunnel ended", fields),
            R"(tunnel ended remote=[::1]:80 cause="went away" name="" count=3)");
}

TEST(Log, a_peers_text_can_neither_forge_a_line_nor_steer_a_terminal) {
  const std::vector<Field> fields{{"client_id", "a\nerror all=lost \x1b[2J\""}};
  EXPECT_EQ(format_event(Format::text, "client registered", fields),
            R"(client registered client_id="a\u000aerror all=lost \u001b[2J\"")");
}

TEST(Log, json_keeps_numbers_and_truth_values_bare) {
  const std::vector<Field> fields{{"workers", 2U}, {"ok", true}, {"path", R"(a\b)"}};
  EXPECT_EQ(format_event(Format::json, "ready", fields), R"("event":"ready","workers":2,"ok":true,"path":"a\\b")");
}

}  // namespace
}  // namespace qmux::log

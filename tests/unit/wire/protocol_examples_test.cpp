// SPDX-License-Identifier: MIT
//
// docs/PROTOCOL.md tells the truth: its examples are what we read and write.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "wire/message_reader.h"
#include "wire/messages.h"

namespace qmux::wire {
namespace {

/// The bytes of every ```hex block.
std::vector<std::vector<std::byte>> examples() {
  std::ifstream file(QMUX_DOCS "/PROTOCOL.md");
  std::vector<std::vector<std::byte>> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```hex") blocks.emplace_back();
    if (line.starts_with("```")) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    for (std::size_t at = 0; at + 1 < line.size() && line[at] != ' '; at += 3) {
      unsigned octet = 0;
      std::from_chars(&line[at], &line[at] + 2, octet, 16);
      blocks.back().push_back(static_cast<std::byte>(octet));
    }
  }
  return blocks;
}

TEST(ProtocolExamples, are_what_we_read_and_write) {
  std::vector<std::size_t> kinds;
  for (const auto& example : examples()) {
    MessageReader reader;
    const auto step = reader.read(example);
    ASSERT_TRUE(step) << step.error().text();
    ASSERT_TRUE(step->message);
    EXPECT_EQ(step->consumed, example.size());
    kinds.push_back(step->message->index());

    std::vector<std::byte> written;
    encode(*step->message, written);
    EXPECT_EQ(written, example);
  }
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace qmux::wire

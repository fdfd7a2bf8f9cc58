// SPDX-License-Identifier: MIT
//
// docs/PROTOCOL.md is correct: its examples are what we read and write.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/source_tree.h"
#include "wire/datagram.h"
#include "wire/message_reader.h"
#include "wire/messages.h"

namespace qmux::wire {
namespace {

using Bytes = std::vector<std::byte>;

/// The bytes of every line in the blocks that begin with `fence`; a block's lines together.
std::vector<std::vector<Bytes>> blocks(std::string_view fence) {
  std::ifstream file(test::document("PROTOCOL.md"));
  std::vector<std::vector<Bytes>> found;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == fence;
      if (inside) found.emplace_back();
      continue;
    }
    if (!inside) continue;
    Bytes& bytes = found.back().emplace_back();
    for (std::size_t at = 0; at + 1 < line.size() && line[at] != ' '; at += 3) {
      unsigned octet = 0;
      std::from_chars(&line[at], &line[at] + 2, octet, 16);
      bytes.push_back(static_cast<std::byte>(octet));
    }
  }
  return found;
}

TEST(ProtocolExamples, are_what_we_read_and_write) {
  std::vector<std::size_t> kinds;
  for (const auto& lines : blocks("```hex")) {
    Bytes example;
    for (const Bytes& line : lines) example.insert(example.end(), line.begin(), line.end());
    MessageReader reader;
    const auto step = reader.read(example);
    ASSERT_TRUE(step) << step.error().text();
    ASSERT_TRUE(step->message);
    EXPECT_EQ(step->consumed, example.size());
    kinds.push_back(step->message->index());

    Bytes written;
    encode(*step->message, written);
    EXPECT_EQ(written, example);
  }
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ProtocolExamples, of_datagrams_are_what_we_read_and_write) {
  const auto found = blocks("```datagram");
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].size(), 2U);
  const auto escaped = parse_datagram(found[0][0]);
  const auto part = parse_datagram(found[0][1]);
  ASSERT_TRUE(escaped && part);
  EXPECT_FALSE(escaped->fragment);
  EXPECT_EQ(part->fragment, (Fragment{0x1234, 0, 2}));

  const auto written = [](const DatagramHeader& header, ConstBytes payload) {
    Bytes bytes(header.bytes().begin(), header.bytes().end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  };
  EXPECT_EQ(written(DatagramHeader::whole(escaped->session, escaped->payload), escaped->payload), found[0][0]);
  EXPECT_EQ(written(DatagramHeader::fragment(part->session, *part->fragment), part->payload), found[0][1]);
}

}  // namespace
}  // namespace qmux::wire

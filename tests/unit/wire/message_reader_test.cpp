// SPDX-License-Identifier: MIT
#include "wire/message_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/limits.h"

namespace qmux::wire {
namespace {

std::vector<std::byte> frame(std::uint8_t type, std::string_view payload) {
  std::vector<std::byte> bytes(kMessageHeaderBytes);
  bytes[0] = std::byte{type};
  write_be(std::span(bytes).subspan(1), static_cast<std::uint32_t>(payload.size()));
  const ConstBytes rest = as_bytes(payload);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

TEST(MessageReader, stops_at_the_end_of_the_message_and_leaves_the_tunnel_its_bytes) {
  auto input = frame(0x04, R"({"ConnID":1,"Protocol":"tcp","SourceAddr":"","DestAddr":"","Timestamp":0})");
  const std::size_t message_bytes = input.size();
  const ConstBytes tunnel = as_bytes("\x04 GET / HTTP/1.1");
  input.insert(input.end(), tunnel.begin(), tunnel.end());

  MessageReader reader;
  const auto step = reader.read(input);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->consumed, message_bytes);
  EXPECT_EQ(step->message, Message(NewConn{.conn_id = 1, .protocol = "tcp"}));
  EXPECT_FALSE(reader.in_message());
}

TEST(MessageReader, reads_a_message_that_comes_byte_by_byte) {
  const auto input = frame(0x03, R"({"Timestamp":7})");
  MessageReader reader;
  for (std::size_t i = 0; i + 1 < input.size(); ++i) {
    const auto step = reader.read(ConstBytes(input).subspan(i, 1));
    ASSERT_TRUE(step);
    EXPECT_EQ(step->consumed, 1U);
    EXPECT_FALSE(step->message);
    EXPECT_TRUE(reader.in_message());
  }
  const auto step = reader.read(ConstBytes(input).last(1));
  ASSERT_TRUE(step);
  EXPECT_EQ(step->message, Message(Heartbeat{7}));
  EXPECT_FALSE(reader.in_message());
}

TEST(MessageReader, asks_for_more_when_given_nothing) {
  MessageReader reader;
  const auto step = reader.read({});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->consumed, 0U);
  EXPECT_FALSE(step->message);
  EXPECT_FALSE(reader.in_message());
}

TEST(MessageReader, gives_one_message_a_call) {
  auto input = frame(0x03, R"({"Timestamp":1})");
  const auto second = frame(0x03, R"({"Timestamp":2})");
  input.insert(input.end(), second.begin(), second.end());
  MessageReader reader;
  ConstBytes rest(input);
  for (const std::int64_t expected : {1, 2}) {
    const auto step = reader.read(rest);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->message, Message(Heartbeat{expected}));
    rest = rest.subspan(step->consumed);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(MessageReader, skips_a_message_of_an_unknown_type_and_goes_on) {
  auto input = frame(0x42, std::string(limits::kMessageBytesMax, 'x'));
  const auto next = frame(0x03, R"({"Timestamp":3})");
  input.insert(input.end(), next.begin(), next.end());
  MessageReader reader;
  std::vector<Message> messages;
  for (ConstBytes rest(input); !rest.empty();) {
    const auto step = reader.read(rest.first(std::min<std::size_t>(rest.size(), 1000)));
    ASSERT_TRUE(step);
    if (step->message) messages.push_back(*step->message);
    rest = rest.subspan(step->consumed);
  }
  EXPECT_EQ(messages, (std::vector<Message>{UnknownMessage{0x42}, Heartbeat{3}}));
}

TEST(MessageReader, refuses_an_oversize_message_at_its_header_and_stays_refused) {
  std::vector<std::byte> header(kMessageHeaderBytes, std::byte{0x03});
  write_be(std::span(header).subspan(1), static_cast<std::uint32_t>(limits::kMessageBytesMax + 1));
  MessageReader reader;
  const auto step = reader.read(header);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().text(), "a message of 65537 bytes is too long (expected at most 65536)");
  EXPECT_FALSE(reader.read(frame(0x03, R"({"Timestamp":3})")));
}

TEST(MessageReader, stays_refused_after_a_broken_message) {
  MessageReader reader;
  EXPECT_FALSE(reader.read(frame(0x03, "")));
  const auto step = reader.read(frame(0x03, R"({"Timestamp":3})"));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().where, "Heartbeat");
}

// --- properties
// -------------------------------------------------------------------------------------------------------

/// Text with all that JSON escapes, and characters of several bytes.
rc::Gen<std::string> text() {
  const auto piece = rc::gen::element<std::string>("a", "<", "\"", "\\", "/", "\n", std::string(1, '\0'), "\x7f", "é",
                                                   "→", "\xe2\x80\xa8", "😀", "\\u0041");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const std::vector<std::string>& pieces) {
    std::string joined;
    for (const auto& p : pieces) joined += p;
    return joined;
  });
}

Message any_message() {
  const auto arbitrary = []<typename T>(T) { return *rc::gen::arbitrary<T>(); };
  const auto words = [] {
    return *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("tcp", "x"));
  };
  switch (*rc::gen::inRange(0, 7)) {
    case 0: {
      Register m{.client_id = "c", .version = *text(), .capabilities = words()};
      if (!arbitrary(bool{})) return m;
      m.instance = "00112233445566778899aabbccddeeff";
      m.slot = arbitrary(std::uint32_t{});
      m.epoch = arbitrary(std::uint64_t{});
      return m;
    }
    case 1:
      return RegisterAck{arbitrary(bool{}), *text(), words()};
    case 2:
      return Heartbeat{arbitrary(std::int64_t{})};
    case 3:
      return NewConn{arbitrary(std::uint64_t{}), *text(),          *text(), *text(),
                     arbitrary(std::int64_t{}),  arbitrary(bool{})};
    case 4:
      return ConnClose{arbitrary(std::uint64_t{}), *text()};
    case 5:
      return GoAway{*text()};
    default:
      return ErrorMessage{arbitrary(std::uint32_t{}), *text()};
  }
}

/// Feeds `bytes` in random pieces; the messages before the first error, and how many bytes they took.
std::pair<std::vector<Message>, std::size_t> read_in_pieces(ConstBytes bytes, std::uint32_t seed) {
  std::minstd_rand random(seed);
  MessageReader reader;
  std::pair<std::vector<Message>, std::size_t> result;
  while (!bytes.empty()) {
    const ConstBytes piece = bytes.first(1 + random() % std::min<std::size_t>(bytes.size(), 1 + random() % 100));
    const auto step = reader.read(piece);
    if (!step) break;
    RC_ASSERT(step->message || step->consumed == piece.size());
    RC_ASSERT(step->consumed <= piece.size());
    result.second += step->consumed;
    if (step->message) result.first.push_back(*step->message);
    bytes = bytes.subspan(step->consumed);
  }
  return result;
}

RC_GTEST_PROP(MessageReader, gives_back_what_was_encoded_however_it_arrives, (std::uint32_t seed)) {
  std::vector<Message> sent;
  std::vector<std::byte> bytes;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    sent.push_back(any_message());
    encode(sent.back(), bytes);
  }
  RC_ASSERT(read_in_pieces(bytes, seed) == std::pair(sent, bytes.size()));
}

RC_GTEST_PROP(MessageReader, says_of_broken_bytes_the_same_however_they_arrive, (std::uint32_t seed)) {
  std::vector<std::byte> bytes;
  encode(any_message(), bytes);
  encode(any_message(), bytes);
  std::minstd_rand random(seed);
  for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
  RC_ASSERT(read_in_pieces(bytes, seed).first == read_in_pieces(bytes, seed + 1).first);
}

}  // namespace
}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
#include "wire/message_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

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
  auto input = frame(0x42, std::string(limits::kMessageMaxBytes, 'x'));
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
  write_be(std::span(header).subspan(1), static_cast<std::uint32_t>(limits::kMessageMaxBytes + 1));
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

}  // namespace
}  // namespace qmux::wire

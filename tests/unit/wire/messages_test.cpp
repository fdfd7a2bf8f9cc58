// SPDX-License-Identifier: MIT
#include "wire/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "wire/limits.h"

namespace qmux::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename M>
Result<M> decode_as(MessageType type, std::string_view json) {
  auto message = decode_message(static_cast<std::uint8_t>(type), as_bytes(json));
  if (!message) return std::unexpected(message.error());
  return std::get<M>(*std::move(message));
}

std::string where_it_fails(MessageType type, std::string_view json) {
  const auto message = decode_message(static_cast<std::uint8_t>(type), as_bytes(json));
  return message ? "nowhere" : message.error().where;
}

/// The JSON of an encoded message, after a check of its header.
std::string json_of(const Message& message) {
  std::vector<std::byte> bytes;
  encode(message, bytes);
  const ConstBytes frame(bytes);
  EXPECT_GE(frame.size(), kMessageHeaderBytes);
  EXPECT_EQ(read_be<std::uint32_t>(frame.subspan(1)), frame.size() - kMessageHeaderBytes);
  return std::string(as_text(frame.subspan(kMessageHeaderBytes)));
}

// --- what the Go programs send, byte for byte
// -------------------------------------------------------------------

TEST(Messages, reads_what_a_go_client_registers_with) {
  const auto m = decode_as<Register>(MessageType::register_request,
                                     R"({"ClientID":"edge-1","Version":"1.0","Capabilities":["tcp","udp"]})");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->client_id, "edge-1");
  EXPECT_EQ(m->version, kProtocolVersion);
  EXPECT_THAT(m->capabilities, ElementsAre("tcp", "udp"));
  EXPECT_THAT(m->instance, IsEmpty());
  EXPECT_TRUE(m->can(capability::kUdp));
  EXPECT_FALSE(m->can(capability::kConnAck));
}

TEST(Messages, reads_a_nil_slice_as_no_capabilities) {
  const auto m =
      decode_as<Register>(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Capabilities":null})");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_THAT(m->capabilities, IsEmpty());
}

TEST(Messages, reads_the_escapes_of_go) {
  // Go writes <, > and & as \u escapes, so that JSON can stand in HTML, and U+2028 because of JavaScript.
  const auto m = decode_as<ConnClose>(
      MessageType::conn_close,
      R"({"ConnID":7,"Reason":"dial failed: \u003cnil\u003e \u0026 \"x\" \\ \u2028 \ufffd \u00e9 é"})");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->reason, "dial failed: <nil> & \"x\" \\ \xe2\x80\xa8 \xef\xbf\xbd é é");
}

TEST(Messages, reads_integers_beyond_what_a_double_holds) {
  const auto m = decode_as<NewConn>(
      MessageType::new_conn, R"({"ConnID":18446744073709551615,"Protocol":"tcp","SourceAddr":"[2001:db8::1]:50000",)"
                             R"("DestAddr":":8080","Timestamp":1700000000})");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->conn_id, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(m->source_addr, "[2001:db8::1]:50000");
  EXPECT_EQ(m->dest_addr, ":8080");
  EXPECT_FALSE(m->ack);
  EXPECT_EQ(decode_as<ConnClose>(MessageType::conn_close, R"({"ConnID":9007199254740993,"Reason":"closed"})")->conn_id,
            9007199254740993U);
}

// --- what we send
// -----------------------------------------------------------------------------------------------------

TEST(Messages, writes_the_fields_in_the_order_of_the_go_programs) {
  EXPECT_EQ(json_of(Register{.client_id = "a", .version = "1.0", .capabilities = {"tcp"}}),
            R"({"ClientID":"a","Version":"1.0","Capabilities":["tcp"]})");
  EXPECT_EQ(json_of(RegisterAck{.success = true, .message = "registered"}),
            R"({"Success":true,"Message":"registered"})");
  EXPECT_EQ(json_of(Heartbeat{-1}), R"({"Timestamp":-1})");
  EXPECT_EQ(json_of(NewConn{1, "tcp", "1.2.3.4:5", "0.0.0.0:80", 6}),
            R"({"ConnID":1,"Protocol":"tcp","SourceAddr":"1.2.3.4:5","DestAddr":"0.0.0.0:80","Timestamp":6})");
  EXPECT_EQ(json_of(ErrorMessage{4294967295U, "x"}), R"({"Code":4294967295,"Message":"x"})");
}

TEST(Messages, writes_an_extension_only_when_it_says_something) {
  EXPECT_EQ(json_of(Register{.client_id = "a", .version = "1.0", .instance = "00ff", .slot = 1, .epoch = 2}),
            R"({"ClientID":"a","Version":"1.0","Capabilities":[],"Instance":"00ff","Slot":1,"Epoch":2})");
  EXPECT_EQ(json_of(RegisterAck{true, "", {"drain"}}), R"({"Success":true,"Message":"","Capabilities":["drain"]})");
  EXPECT_THAT(json_of(NewConn{.ack = true}), HasSubstr(R"("Ack":true)"));
  EXPECT_EQ(json_of(GoAway{"restart"}), R"({"Reason":"restart"})");
  EXPECT_EQ(json_of(GoAway{.reason = "restart", .idle = true, .tunnels = 3}),
            R"({"Reason":"restart","Idle":true,"Tunnels":3})");
  EXPECT_EQ(json_of(UdpEnd{{1, 4294967295U}}), R"({"Sessions":[1,4294967295]})");
}

TEST(Messages, frames_type_and_length_in_network_order) {
  std::vector<std::byte> bytes;
  encode(Heartbeat{1}, bytes);
  EXPECT_EQ(as_text(bytes), std::string_view("\x03\0\0\0\x0f{\"Timestamp\":1}", 20));
  encode(ConnClose{}, bytes);
  EXPECT_EQ(bytes[20], std::byte{0x06}) << "appends";
}

TEST(Messages, has_room_for_all_ends_of_udp_sessions_that_are_told_at_a_time) {
  const UdpEnd longest{std::vector<std::uint32_t>(limits::kUdpEndNoticeSessionsMax, 4294967295U)};
  std::vector<std::byte> bytes;
  encode(longest, bytes);
  EXPECT_LE(bytes.size(), limits::kMessageBytesMax);
  EXPECT_EQ(decode_message(0x08, std::span(bytes).subspan(kMessageHeaderBytes)), Message(longest));
}

TEST(Messages, padding_is_a_message_of_about_the_size_asked_for_that_none_looks_into) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1452}, 2 * limits::kMessageBytesMax}) {
    std::vector<std::byte> padding;
    encode_padding(bytes, padding);
    EXPECT_GE(padding.size(), std::min(bytes, limits::kMessageBytesMax));
    EXPECT_LE(padding.size(), std::min(bytes, limits::kMessageBytesMax) + 20);
    const ConstBytes payload = std::span(padding).subspan(kMessageHeaderBytes);
    EXPECT_TRUE(as_text(payload).starts_with(R"({"Padding":")"));
    EXPECT_EQ(decode_message(std::to_integer<std::uint8_t>(padding[0]), payload), Message(UnknownMessage{0x09}));
  }
}

TEST(Messages, replaces_text_that_is_not_utf8) { EXPECT_EQ(json_of(GoAway{"\xff"}), "{\"Reason\":\"\xef\xbf\xbd\"}"); }

// --- what is not there, or something else
// -----------------------------------------------------------------------------

TEST(Messages, ignores_fields_it_does_not_know_whatever_they_hold) {
  const auto m = decode_as<Heartbeat>(
      MessageType::heartbeat,
      R"({"a":[{"Timestamp":"x"},[[]]],"Timestamp":5,"b":{"Timestamp":null},"c":1e300,"timestamp":7,"d":null})");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->timestamp, 5);
}

TEST(Messages, takes_the_last_of_a_repeated_field_as_go_does) {
  EXPECT_EQ(decode_as<Heartbeat>(MessageType::heartbeat, R"({"Timestamp":1,"Timestamp":2})")->timestamp, 2);
  EXPECT_THAT(decode_as<Register>(MessageType::register_request,
                                  R"({"ClientID":"a","Version":"","Capabilities":["x"],"Capabilities":["y"]})")
                  ->capabilities,
              ElementsAre("y"));
}

TEST(Messages, names_the_field_that_is_missing_or_mistyped) {
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"Version":"1.0"})"), "Register.ClientID");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":"a"})"), "Register.Version");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":null,"Version":"1.0"})"), "Register.ClientID");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":["a"],"Version":"1.0"})"),
            "Register.ClientID");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Capabilities":"tcp"})"),
            "Register.Capabilities");
  EXPECT_EQ(
      where_it_fails(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Capabilities":["tcp",1]})"),
      "Register.Capabilities");
  EXPECT_EQ(
      where_it_fails(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Capabilities":[["tcp"]]})"),
      "Register.Capabilities");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Slot":4294967296})"),
            "Register.Slot");
  EXPECT_EQ(where_it_fails(MessageType::register_request, R"({"ClientID":"a","Version":"1.0","Epoch":-1})"),
            "Register.Epoch");
  EXPECT_EQ(where_it_fails(MessageType::register_ack, R"({"Success":1})"), "RegisterAck.Success");
  EXPECT_EQ(where_it_fails(MessageType::heartbeat, R"({"Timestamp":1.5})"), "Heartbeat.Timestamp");
  EXPECT_EQ(where_it_fails(MessageType::heartbeat, R"({"Timestamp":9223372036854775808})"), "Heartbeat.Timestamp");
  EXPECT_EQ(where_it_fails(MessageType::conn_close, R"({"ConnID":18446744073709551616})"), "ConnClose.ConnID");
  EXPECT_EQ(where_it_fails(MessageType::error, R"({"Code":true})"), "Error.Code");
  EXPECT_EQ(where_it_fails(MessageType::udp_end, R"({})"), "UdpEnd.Sessions");
  for (const std::string_view list : {"1", "[-1]", "[4294967296]", "[1.5]", "[\"1\"]", "[1,null]", "[[1]]", "[{}]"}) {
    EXPECT_EQ(where_it_fails(MessageType::udp_end, "{\"Sessions\":" + std::string(list) + "}"), "UdpEnd.Sessions")
        << list;
  }
}

TEST(Messages, says_what_would_be_right) {
  const auto m = decode_message(0x03, as_bytes(R"({"Timestamp":"now"})"));
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().text(),
            "Heartbeat.Timestamp: has the wrong type or range (expected an integer from -2^63 to 2^63-1)");
}

TEST(Messages, refuses_what_is_not_one_json_object) {
  for (const std::string_view json : {"", "{", "{}x", "[]", "null", "7", "\"x\"", "{\"Timestamp\":1}{}",
                                      "{\"Timestamp\":1,}", "{\"Timestamp\":1e999}", "{\"\xff\":1,\"Timestamp\":1}"}) {
    EXPECT_EQ(where_it_fails(MessageType::heartbeat, json), "Heartbeat") << json;
  }
}

TEST(Messages, refuses_deep_nesting_without_following_it) {
  for (const std::string_view unit : {"[", "{\"a\":", "[[[[", "[{\"a\":"}) {
    std::string json = "{\"a\":";
    while (json.size() < limits::kMessageBytesMax - unit.size()) json += unit;
    EXPECT_EQ(where_it_fails(MessageType::heartbeat, json), "Heartbeat");
    EXPECT_EQ(where_it_fails(MessageType::heartbeat, json.substr(5)), "Heartbeat");
  }
}

TEST(Messages, bounds_what_a_registration_keeps) {
  const auto register_as = [](std::size_t id_bytes, std::size_t instance_bytes) {
    return R"({"Version":"1.0","ClientID":")" + std::string(id_bytes, 'a') + R"(","Instance":")" +
           std::string(instance_bytes, 'b') + "\"}";
  };
  EXPECT_EQ(where_it_fails(MessageType::register_request, register_as(0, 0)), "Register.ClientID");
  EXPECT_EQ(
      where_it_fails(MessageType::register_request, register_as(limits::kClientIdBytesMax, limits::kInstanceBytesMax)),
      "nowhere");
  EXPECT_EQ(where_it_fails(MessageType::register_request, register_as(limits::kClientIdBytesMax + 1, 0)),
            "Register.ClientID");
  EXPECT_EQ(where_it_fails(MessageType::register_request, register_as(1, limits::kInstanceBytesMax + 1)),
            "Register.Instance");
}

TEST(Messages, reports_an_unknown_type_and_leaves_its_payload_alone) {
  const auto m = decode_message(0x05, as_bytes("not JSON"));
  ASSERT_TRUE(m);
  EXPECT_EQ(*m, Message(UnknownMessage{0x05}));
}

}  // namespace
}  // namespace qmux::wire

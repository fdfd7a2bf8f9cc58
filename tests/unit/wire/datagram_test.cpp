// SPDX-License-Identifier: MIT
#include "wire/datagram.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace qmux::wire {
namespace {

using namespace std::string_view_literals;

std::string joined(const DatagramHeader& header, std::string_view payload) {
  return std::string(as_text(header.bytes())).append(payload);
}

/// What the Go programs take for a fragment.
bool go_receiver_sees_fragment(std::string_view datagram) {
  return datagram.size() >= 9 && (static_cast<unsigned char>(datagram[6]) & 0x80U) != 0;
}

TEST(Datagram, puts_the_session_before_a_plain_payload) {
  EXPECT_EQ(joined(DatagramHeader::whole(0x01020304, as_bytes("hello")), "hello"), "\x01\x02\x03\x04hello"sv);
  EXPECT_EQ(joined(DatagramHeader::whole(7, {}), ""), "\0\0\0\x07"sv);
}

TEST(Datagram, escapes_what_the_go_programs_would_misread) {
  EXPECT_EQ(joined(DatagramHeader::whole(1, as_bytes("ab\x80"sv)), "ab\x80"),
            "\0\0\0\x01"sv
            "ab\x80")
      << "too short";
  EXPECT_EQ(DatagramHeader::whole(1, as_bytes("ab\x7f__"sv)).bytes().size(), kSessionHeaderBytes);
  EXPECT_EQ(joined(DatagramHeader::whole(1, as_bytes("ab\x80__"sv)), "ab\x80__"),
            "\0\0\0\x01\0\0\x80\0\x01"sv
            "ab\x80__");
}

TEST(Datagram, marks_all_parts_but_the_last_with_more) {
  EXPECT_EQ(as_text(DatagramHeader::fragment(1, {0x1234, 0, 2}).bytes()), "\0\0\0\x01\x12\x34\x81\0\x02"sv);
  EXPECT_EQ(as_text(DatagramHeader::fragment(1, {0x1234, 1, 2}).bytes()), "\0\0\0\x01\x12\x34\x80\x01\x02"sv);
}

TEST(Datagram, reads_a_fragment) {
  const auto datagram = parse_datagram(as_bytes("\0\0\0\x09\x12\x34\x81\x03\x05part"sv));
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->session, 9U);
  EXPECT_EQ(datagram->fragment, (Fragment{0x1234, 3, 5}));
  EXPECT_EQ(as_text(datagram->payload), "part");
}

TEST(Datagram, takes_for_a_payload_what_no_sender_makes_of_a_fragment) {
  for (const std::string_view payload : {
           "\x12\x34\x80\x05\x05"sv,  // index reaches total
           "\x12\x34\x80\0\0"sv,      // no fragments
           "\x12\x34\x80\0\x02"sv,    // first of two, but no more to follow
           "\x12\x34\x81\x01\x02"sv,  // last of two, but more to follow
           "\x12\x34\xc0\x01\x02"sv,  // flags that no sender sets
           "\x12\x34\x80\x01"sv,      // too short
       }) {
    const std::string sent = std::string("\0\0\0\x09"sv).append(payload);
    const auto datagram = parse_datagram(as_bytes(sent));
    ASSERT_TRUE(datagram);
    EXPECT_FALSE(datagram->fragment);
    EXPECT_EQ(as_text(datagram->payload), payload);
    EXPECT_EQ(datagram->unescaped, needs_escape(payload.size(), as_bytes(payload)))
        << "only a sender that does not escape makes one";
  }
}

TEST(Datagram, needs_no_more_than_the_first_three_bytes_to_know_about_the_escape) {
  EXPECT_TRUE(needs_escape(5, as_bytes("ab\x80"sv)));
  EXPECT_FALSE(needs_escape(5, as_bytes("ab\x7f"sv)));
  EXPECT_FALSE(needs_escape(4, as_bytes("ab\x80"sv)));
  EXPECT_FALSE(needs_escape(0, {}));
}

TEST(Datagram, is_nothing_without_a_session) {
  EXPECT_FALSE(parse_datagram({}));
  EXPECT_FALSE(parse_datagram(as_bytes("\0\0\x01"sv)));
  EXPECT_TRUE(parse_datagram(as_bytes("\0\0\0\x01"sv)));
}

RC_GTEST_PROP(Datagram, brings_every_payload_whole_to_either_receiver,
              (std::uint32_t session, const std::string& text)) {
  const std::string sent = joined(DatagramHeader::whole(session, as_bytes(text)), text);
  const auto datagram = parse_datagram(as_bytes(sent));
  RC_ASSERT(datagram.has_value());
  RC_ASSERT(datagram->session == session);
  RC_ASSERT(!datagram->fragment);
  RC_ASSERT(!datagram->unescaped);
  RC_ASSERT(as_text(datagram->payload) == text);
  const bool escaped = sent.size() == kFragmentHeaderBytes + text.size();
  RC_ASSERT(go_receiver_sees_fragment(sent) == escaped);
}

RC_GTEST_PROP(Datagram, brings_every_fragment, (std::uint32_t session, std::uint16_t id, const std::string& text)) {
  const auto total = *rc::gen::inRange<unsigned>(2, kFragmentsMax + 1);
  const auto index = *rc::gen::inRange<unsigned>(0, total);
  const Fragment fragment{id, static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(total)};
  const std::string sent = joined(DatagramHeader::fragment(session, fragment), text);
  const auto datagram = parse_datagram(as_bytes(sent));
  RC_ASSERT(datagram.has_value());
  RC_ASSERT(datagram->session == session);
  RC_ASSERT(datagram->fragment == fragment);
  RC_ASSERT(as_text(datagram->payload) == text);
  RC_ASSERT(go_receiver_sees_fragment(sent));
}

}  // namespace
}  // namespace qmux::wire

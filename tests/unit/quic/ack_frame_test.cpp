// SPDX-License-Identifier: MIT
#include "quic/ack_frame.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace qmux::quic {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

std::set<std::uint64_t> acknowledged(ConstBytes frames) {
  std::set<std::uint64_t> numbers;
  const auto ack = AckFrame::find(frames);
  for (std::uint64_t n = 0; ack && n < 1000; ++n) {
    if (ack->acknowledges(n)) numbers.insert(n);
  }
  return numbers;
}

TEST(AckFrame, acknowledges_its_ranges_and_nothing_else) {
  // Largest 20, two further ranges: 18..20, then 15, then 10..12.
  const auto frame = bytes_of({0x02, 20, 7, 2, 2, 1, 0, 1, 2, 0xff});
  EXPECT_EQ(acknowledged(frame), (std::set<std::uint64_t>{10, 11, 12, 15, 18, 19, 20}));
  const auto ack = AckFrame::find(frame);
  EXPECT_TRUE(ack && ack->largest() == 20);
}

TEST(AckFrame, of_packet_zero_alone) {
  EXPECT_EQ(acknowledged(bytes_of({0x03, 0, 0, 0, 0})), (std::set<std::uint64_t>{0}));
}

TEST(AckFrame, has_integers_of_every_length) {
  EXPECT_EQ(acknowledged(bytes_of({0x02, 0x41, 0x2c, 0x80, 0, 0, 9, 0, 0xc0, 0, 0, 0, 0, 0, 0, 1})),
            (std::set<std::uint64_t>{299, 300}));
}

TEST(AckFrame, is_found_behind_frames_of_known_length) {
  const auto frame =
      bytes_of({0x00, 0x01, 0x1e, 0x1b, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 2, 3, 4, 5, 6, 7, 8, 0x02, 3, 0, 0, 0});
  EXPECT_EQ(acknowledged(frame), (std::set<std::uint64_t>{3}));
}

TEST(AckFrame, is_not_found_where_there_is_none) {
  EXPECT_FALSE(AckFrame::find({}));
  EXPECT_FALSE(AckFrame::find(bytes_of({0, 0, 0, 1})));
  EXPECT_FALSE(AckFrame::find(bytes_of({0x08, 0x02, 3, 0, 0, 0})));
  EXPECT_FALSE(AckFrame::find(bytes_of({0x1b, 1, 2, 3})));
}

TEST(AckFrame, cut_short_or_impossible_acknowledges_nothing_more) {
  const auto frame = bytes_of({0x02, 20, 7, 2, 2, 1, 0, 1, 2});
  for (std::size_t bytes = 0; bytes < 5; ++bytes) EXPECT_FALSE(AckFrame::find(ConstBytes(frame).first(bytes)));
  EXPECT_EQ(acknowledged(ConstBytes(frame).first(7)), (std::set<std::uint64_t>{15, 18, 19, 20}));
  EXPECT_FALSE(AckFrame::find(bytes_of({0x02, 2, 0, 0, 3}))) << "ends below zero";
  EXPECT_EQ(acknowledged(bytes_of({0x02, 9, 0, 1, 1, 9, 0})), (std::set<std::uint64_t>{8, 9})) << "so does the gap";
  EXPECT_EQ(acknowledged(bytes_of({0x02, 9, 0, 1, 1, 0, 7})), (std::set<std::uint64_t>{8, 9})) << "and the range";
}

}  // namespace
}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/received_packets.h"

#include <gtest/gtest.h>

#include <array>

namespace qmux::quic {
namespace {

TEST(ReceivedPackets, numbers_are_completed_as_the_rfc_says) {
  EXPECT_EQ(full_packet_number(0xa82f30ea, 0x9b32, 2), 0xa82f9b32) << "the example of RFC 9000 appendix A.3";
  EXPECT_EQ(full_packet_number(-1, 0, 1), 0);
  EXPECT_EQ(full_packet_number(255, 0, 1), 256) << "the next, although its last byte is smaller";
  EXPECT_EQ(full_packet_number(256, 255, 1), 255) << "late";
}

TEST(ReceivedPackets, a_replay_is_not_newer) {
  ReceivedPackets received;
  const auto newest = [&](std::uint8_t number) {
    const std::array<std::uint8_t, 4> header{0x40, 0xaa, 0xbb, number};
    return received.newest(header.data(), header.size());
  };
  EXPECT_TRUE(newest(0));
  EXPECT_FALSE(newest(0));
  EXPECT_TRUE(newest(5));
  EXPECT_FALSE(newest(3)) << "late or replayed, which cannot be distinguished";
  for (unsigned number = 6; number < 1000; ++number) EXPECT_TRUE(newest(static_cast<std::uint8_t>(number)));
  EXPECT_FALSE(newest(static_cast<std::uint8_t>(900)));
}

}  // namespace
}  // namespace qmux::quic

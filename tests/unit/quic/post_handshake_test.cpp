// SPDX-License-Identifier: MIT
#include "quic/post_handshake.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace qmux::quic {
namespace {

std::vector<std::byte> message(std::uint8_t type, std::size_t length) {
  std::vector<std::byte> bytes(4 + length, std::byte{24});
  bytes[0] = std::byte{type};
  bytes[1] = static_cast<std::byte>(length >> 16U);
  bytes[2] = static_cast<std::byte>(length >> 8U);
  bytes[3] = static_cast<std::byte>(length);
  return bytes;
}

TEST(PostHandshakeMessages, drops_tickets_in_any_pieces) {
  std::vector<std::byte> bytes = message(4, 300);
  const std::vector<std::byte> empty = message(4, 0);
  bytes.insert(bytes.end(), empty.begin(), empty.end());
  const std::vector<std::byte> long_one = message(4, 70'000);
  bytes.insert(bytes.end(), long_one.begin(), long_one.end());
  for (const std::size_t piece : {1U, 3U, 5U, 1'000U, 100'000U}) {
    PostHandshakeMessages messages;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(messages.accept_from_server(ConstBytes(bytes).subspan(at, std::min(piece, bytes.size() - at))));
    }
    EXPECT_FALSE(messages.accept_from_server(message(24, 1)));
  }
}

TEST(PostHandshakeMessages, refuses_everything_else_by_its_first_byte) {
  for (unsigned type = 0; type < 256; ++type) {
    PostHandshakeMessages messages;
    const std::array<std::byte, 1> first = {static_cast<std::byte>(type)};
    EXPECT_EQ(messages.accept_from_server(first), type == 4) << type;
  }
}

}  // namespace
}  // namespace qmux::quic

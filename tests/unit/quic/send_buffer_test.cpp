// SPDX-License-Identifier: MIT
#include "quic/send_buffer.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace qmux::quic {
namespace {

std::string unsent_text(const SendBuffer& buffer) {
  std::array<ConstBytes, 64> views;
  std::string text;
  const std::size_t count = buffer.unsent(views);
  for (std::size_t i = 0; i < count; ++i) text += as_text(views[i]);
  return text;
}

TEST(SendBuffer, keeps_bytes_until_acknowledged) {
  ChunkPool pool;
  SendBuffer buffer(pool);
  buffer.append(as_bytes("hello world"));
  EXPECT_EQ(unsent_text(buffer), "hello world");
  buffer.mark_sent(6);
  EXPECT_EQ(unsent_text(buffer), "world");
  EXPECT_EQ(buffer.size(), 11U);
  buffer.acknowledge(6);
  EXPECT_EQ(buffer.size(), 5U);
  EXPECT_EQ(unsent_text(buffer), "world");
  buffer.mark_sent(5);
  EXPECT_EQ(buffer.unsent_bytes(), 0U);
  buffer.acknowledge(5);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(pool.in_use_bytes(), 0U) << "an empty buffer owns no chunk";
}

TEST(SendBuffer, does_not_move_bytes_in_flight) {
  ChunkPool pool;
  SendBuffer buffer(pool);
  buffer.append(as_bytes("abc"));
  std::array<ConstBytes, 1> before;
  ASSERT_EQ(buffer.unsent(before), 1U);
  buffer.mark_sent(3);
  for (int i = 0; i < 10; ++i) buffer.append(std::vector<std::byte>(Chunk::kCapacityBytes, std::byte{1}));
  EXPECT_EQ(as_text(before[0].first(3)), "abc");
  buffer.clear();
}

// Any mix of appending, sending and acknowledging gives the bytes in order, exactly once.
TEST(SendBuffer, is_a_queue_with_two_ends) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    ChunkPool pool;
    SendBuffer buffer(pool);
    std::uint8_t next_in = 0;
    std::uint8_t next_out = 0;
    std::size_t in_flight = 0;
    for (int step = 0; step < 400; ++step) {
      const std::size_t amount = random() % 40000;
      switch (random() % 3) {
        case 0: {
          std::vector<std::byte> bytes(amount);
          for (auto& byte : bytes) byte = static_cast<std::byte>(next_in++);
          buffer.append(bytes);
          break;
        }
        case 1: {
          std::array<ConstBytes, 3> views;
          const std::size_t count = buffer.unsent(views);
          std::size_t sent = 0;
          for (std::size_t i = 0; i < count; ++i) {
            for (const std::byte byte : views[i]) {
              if (sent == amount) break;
              ASSERT_EQ(std::to_integer<std::uint8_t>(byte), next_out) << "seed " << seed;
              ++next_out;
              ++sent;
            }
          }
          buffer.mark_sent(sent);
          in_flight += sent;
          break;
        }
        default: {
          const std::size_t acknowledged = std::min(amount, in_flight);
          buffer.acknowledge(acknowledged);
          in_flight -= acknowledged;
        }
      }
    }
    buffer.clear();
    EXPECT_EQ(pool.in_use_bytes(), 0U);
  }
}

}  // namespace
}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "tunnel/udp/payload_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "wire/limits.h"

namespace qmux::tunnel {
namespace {

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

class PayloadQueueTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string viewed(std::size_t offset, std::size_t length) const {
    std::array<ConstBytes, PayloadQueue::kPiecesMax> pieces;
    const std::size_t count = queue_.view(offset, length, pieces);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += as_text(pieces[i]);
    return text;
  }
  void push(const std::string& payload, int seconds = 0) { queue_.push(as_bytes(payload), at(seconds)); }
  std::string pop() {
    std::string text = viewed(0, queue_.front().bytes);
    queue_.pop();
    return text;
  }

  ChunkPool chunks_;
  struct Account final : PayloadAccount {
    explicit Account(PayloadBudget& budget) : PayloadAccount(budget) {}
    void drop_down_to(std::size_t) override {}
  };
  PayloadBudget budget_{std::size_t{1024} * 1024};
  Account account_{budget_};
  PayloadQueue queue_{chunks_, account_};
};

TEST_F(PayloadQueueTest, gives_payloads_in_their_order_with_the_time_they_came) {
  push("one", 1);
  push("", 2);
  push("three", 3);
  EXPECT_EQ(queue_.front().bytes, 3U);
  EXPECT_EQ(queue_.front().since, at(1));
  EXPECT_EQ(pop(), "one");
  EXPECT_EQ(queue_.front().since, at(2));
  EXPECT_EQ(pop(), "");
  EXPECT_EQ(pop(), "three");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(PayloadQueueTest, notes_which_payloads_a_go_receiver_would_misread) {
  push("abcde");
  push(
      "ab\x80"
      "de");
  EXPECT_FALSE(queue_.front().escape);
  queue_.pop();
  EXPECT_TRUE(queue_.front().escape);
}

TEST_F(PayloadQueueTest, keeps_payloads_whole_wherever_the_chunks_end) {
  // Every offset of a note and of a payload's first bytes against the end of a chunk.
  for (std::size_t fill = Chunk::kCapacityBytes - 64; fill < Chunk::kCapacityBytes; ++fill) {
    push(std::string(fill, 'f'));
    push("abcdef", 7);
    push(std::string(limits::kUdpPayloadBytesMax, 'g'));
    EXPECT_EQ(pop(), std::string(fill, 'f'));
    EXPECT_EQ(queue_.front().since, at(7));
    EXPECT_EQ(viewed(2, 3), "cde");
    EXPECT_EQ(pop(), "abcdef");
    EXPECT_EQ(pop(), std::string(limits::kUdpPayloadBytesMax, 'g'));
  }
}

TEST_F(PayloadQueueTest, shows_any_part_of_the_largest_payload) {
  std::string payload;
  for (std::size_t i = 0; i < limits::kUdpPayloadBytesMax; ++i) payload += static_cast<char>(i * 7 + i / 251);
  push("before");
  push(payload);
  queue_.pop();
  for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, Chunk::kCapacityBytes - 30, std::size_t{40'000}}) {
    EXPECT_EQ(viewed(offset, 1400), payload.substr(offset, 1400));
  }
  EXPECT_EQ(viewed(payload.size(), 0), "");
}

TEST_F(PayloadQueueTest, charges_what_it_holds_and_gives_it_back) {
  EXPECT_EQ(budget_.held_bytes(), 0U);
  push("x");
  EXPECT_GE(budget_.held_bytes(), chunks_.in_use_bytes());
  push(std::string(50'000, 'x'));
  EXPECT_GE(budget_.held_bytes(), chunks_.in_use_bytes());
  queue_.pop();
  EXPECT_GE(budget_.held_bytes(), chunks_.in_use_bytes());
  queue_.pop();
  EXPECT_EQ(budget_.held_bytes(), 0U);
  EXPECT_EQ(chunks_.in_use_bytes(), 0U);
  push("x");
  queue_.clear();
  EXPECT_EQ(budget_.held_bytes(), 0U);
}

}  // namespace
}  // namespace qmux::tunnel

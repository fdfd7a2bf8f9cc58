// SPDX-License-Identifier: MIT
#include "base/chunk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace qmux {
namespace {

constexpr std::size_t kCapacity = Chunk::kCapacityBytes;

std::string content(const ChunkQueue& queue) {
  std::vector<ConstBytes> views(queue.size() + 1);
  std::string text;
  for (const ConstBytes view : std::span(views).first(queue.peek(views))) text += as_text(view);
  return text;
}

/// Fills `text` into what the queue offers; returns how much it took.
std::size_t fill(ChunkQueue& queue, std::string_view text, std::size_t spans_max) {
  std::vector<MutableBytes> room(spans_max);
  const std::size_t spans = queue.offer_room(text.size(), room);
  std::size_t filled = 0;
  for (const MutableBytes span : std::span(room).first(spans)) {
    const ConstBytes part = as_bytes(text.substr(filled, span.size()));
    std::ranges::copy(part, span.begin());
    filled += part.size();
  }
  queue.commit(filled);
  return filled;
}

TEST(ChunkQueue, an_empty_queue_owns_no_chunk) {
  ChunkPool pool;
  ChunkQueue queue(pool);
  EXPECT_EQ(pool.in_use_bytes(), 0U);
  queue.append(as_bytes("some"));
  EXPECT_EQ(pool.in_use_bytes(), Chunk::kAllocatedBytes);
  queue.drop(4);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(pool.in_use_bytes(), 0U);
}

TEST(ChunkQueue, a_withdrawn_offer_leaves_nothing_behind) {
  ChunkPool pool;
  ChunkQueue queue(pool);
  std::array<MutableBytes, 4> room;
  EXPECT_EQ(queue.offer_room(3 * kCapacity, room), 3U);
  EXPECT_GT(pool.in_use_bytes(), 0U);
  queue.commit(0);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(pool.in_use_bytes(), 0U);
}

TEST(ChunkQueue, offers_no_more_than_asked_for_and_fills_the_last_chunk_first) {
  ChunkPool pool;
  ChunkQueue queue(pool);
  queue.append(as_bytes(std::string(kCapacity - 10, 'a')));
  std::array<MutableBytes, 4> room;
  ASSERT_EQ(queue.offer_room(25, room), 2U);
  EXPECT_EQ(room[0].size(), 10U);
  EXPECT_EQ(room[1].size(), 15U);
  queue.commit(5);
  EXPECT_EQ(queue.size(), kCapacity - 5);
  EXPECT_EQ(pool.in_use_bytes(), Chunk::kAllocatedBytes);
}

TEST(ChunkQueue, bytes_held_stay_where_they_are) {
  ChunkPool pool;
  ChunkQueue queue(pool);
  queue.append(as_bytes("first"));
  ConstBytes view;
  ASSERT_EQ(queue.peek({&view, 1}), 1U);
  const std::byte* where = view.data();
  queue.append(as_bytes(std::string(2 * kCapacity, 'x')));
  queue.drop(1);
  ASSERT_EQ(queue.peek({&view, 1}), 1U);
  EXPECT_EQ(view.data(), where + 1);
}

TEST(ChunkPool, gives_free_chunks_out_again) {
  ChunkPool pool;
  Chunk* first = pool.take();
  pool.give_back(first);
  EXPECT_EQ(pool.take(), first);
  EXPECT_EQ(first->begin, 0U);
  EXPECT_EQ(first->next, nullptr);
  pool.give_back(first);
}

TEST(ChunkPool, gives_up_only_what_none_needed_since_the_last_time) {
  ChunkPool pool;
  std::vector<Chunk*> burst;
  for (int i = 0; i < 10; ++i) burst.push_back(pool.take());
  for (Chunk* chunk : burst) pool.give_back(chunk);
  pool.give_up_surplus();
  EXPECT_EQ(pool.free_count(), 10U) << "all ten were needed a moment ago";
  burst = {pool.take(), pool.take(), pool.take()};
  for (Chunk* chunk : burst) pool.give_back(chunk);
  pool.give_up_surplus();
  EXPECT_EQ(pool.free_count(), 3U) << "seven were not";
  pool.give_up_surplus();
  EXPECT_EQ(pool.free_count(), 0U);
}

RC_GTEST_PROP(ChunkQueue, behaves_like_a_string, ()) {
  enum Kind { append, fill_offer, drop, clear, kinds };
  ChunkPool pool;
  {
    ChunkQueue queue(pool);
    std::string model;
    unsigned char letter = 0;
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, std::size_t>>>(
        rc::gen::tuple(rc::gen::inRange<int>(0, kinds), rc::gen::inRange<std::size_t>(0, 3 * kCapacity),
                       rc::gen::inRange<std::size_t>(0, 5)));
    for (const auto& [kind, amount, spans] : steps) {
      const std::string text(amount, static_cast<char>(++letter));
      if (kind == append) {
        queue.append(as_bytes(text));
        model += text;
      } else if (kind == fill_offer) {
        model += text.substr(0, fill(queue, text, spans));
      } else if (kind == drop) {
        const std::size_t bytes = std::min(amount, model.size());
        queue.drop(bytes);
        model.erase(0, bytes);
      } else if (amount % 4 == 0) {
        queue.clear();
        model.clear();
      }
      RC_ASSERT(queue.size() == model.size());
      RC_ASSERT(queue.empty() == model.empty());
      RC_ASSERT(!queue.empty() || pool.in_use_bytes() == 0);
      ConstBytes front;
      RC_ASSERT(queue.peek({&front, 1}) == (model.empty() ? 0U : 1U));
      RC_ASSERT(as_text(front) == std::string_view(model).substr(0, front.size()));
    }
    RC_ASSERT(content(queue) == model);
  }
  RC_ASSERT(pool.in_use_bytes() == 0U);
}

}  // namespace
}  // namespace qmux

// SPDX-License-Identifier: MIT
//
// Memory for tunnel bytes between a socket and a stream: fixed-size chunks from a worker's pool, chained into queues.
//
// One thread. A queue that is empty owns no chunk, so an idle tunnel holds no buffer. The pool outlives its queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace qmux {

struct Chunk {
  static constexpr std::size_t kAllocatedBytes = 16 * 1024;
  static constexpr std::size_t kCapacityBytes = kAllocatedBytes - sizeof(void*) - 2 * sizeof(std::uint32_t);

  Chunk* next;
  std::uint32_t begin;  ///< first byte held
  std::uint32_t end;    ///< one past the last byte held
  std::byte data[kCapacityBytes];
};
static_assert(sizeof(Chunk) == Chunk::kAllocatedBytes);

/// Hands out chunks and keeps a bounded number of free ones, so that steady traffic allocates nothing.
class ChunkPool {
 public:
  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  /// Every chunk has been given back by now.
  ~ChunkPool();

  [[nodiscard]] Chunk* take();
  void give_back(Chunk* chunk) noexcept;

  /// Bytes of chunks handed out and not given back yet.
  [[nodiscard]] std::size_t in_use_bytes() const noexcept { return taken_ * Chunk::kAllocatedBytes; }
  /// Returns to the allocator the free chunks that were not needed since the last call. Call it periodically: it frees what a
  /// burst has left behind and keeps what traffic uses.
  void give_up_surplus() noexcept;
  [[nodiscard]] std::size_t free_count() const noexcept { return free_count_; }

 private:
  void free_some(std::size_t count) noexcept;

  Chunk* free_ = nullptr;
  std::size_t free_count_ = 0;
  std::size_t free_count_least_ = 0;  ///< since the last give_up_surplus()
  std::size_t taken_ = 0;
};

/// A first-in first-out queue of bytes in chunks. Addresses of bytes held do not change until they are dropped.
class ChunkQueue {
 public:
  explicit ChunkQueue(ChunkPool& pool) noexcept : pool_(pool) {}
  ChunkQueue(const ChunkQueue&) = delete;
  ChunkQueue& operator=(const ChunkQueue&) = delete;
  ~ChunkQueue() { clear(); }

  /// Offers room for up to `bytes_max` more bytes as spans of memory to read into; returns how many of `out` were filled
  /// in. Every offer is followed by commit() before any other call.
  std::size_t offer_room(std::size_t bytes_max, std::span<MutableBytes> out);
  /// The first `bytes` of what was offered now hold data (0: none); the rest of the offer is withdrawn.
  void commit(std::size_t bytes) noexcept;
  /// Copies `bytes` to the end.
  void append(ConstBytes bytes);

  /// Views of the bytes held, from the front, as many as fit into `out`; returns how many spans were filled in.
  std::size_t peek(std::span<ConstBytes> out) const noexcept;
  /// Drops `bytes` <= size() from the front; emptied chunks go back to the pool.
  void drop(std::size_t bytes) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// The chain, for a reader that keeps its own position in it (SendBuffer).
  [[nodiscard]] const Chunk* head() const noexcept { return head_; }
  [[nodiscard]] const Chunk* tail() const noexcept { return tail_; }

 private:
  void push_chunk();

  ChunkPool& pool_;
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;     ///< last chunk that holds data, or is head_
  Chunk* offered_ = nullptr;  ///< chunks offered beyond tail_, chained
  std::size_t size_ = 0;
};

}  // namespace qmux

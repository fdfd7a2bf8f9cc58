// SPDX-License-Identifier: MIT
#include "base/chunk.h"

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/limits.h"

namespace qmux {

ChunkPool::~ChunkPool() {
  CHECK(taken_ == 0);
  free_some(free_count_);
}

Chunk* ChunkPool::take() {
  Chunk* chunk = free_;
  if (chunk != nullptr) {
    free_ = chunk->next;
    --free_count_;
    free_count_least_ = std::min(free_count_least_, free_count_);
  } else {
    chunk = static_cast<Chunk*>(::operator new(sizeof(Chunk)));
  }
  chunk->next = nullptr;
  chunk->begin = 0;
  chunk->end = 0;
  ++taken_;
  return chunk;
}

void ChunkPool::give_back(Chunk* chunk) noexcept {
  --taken_;
  if (free_count_ >= limits::kFreeChunksMax) {
    ::operator delete(chunk);
    return;
  }
  chunk->next = free_;
  free_ = chunk;
  ++free_count_;
}

void ChunkPool::give_up_surplus() noexcept {
  const bool large = free_count_least_ * Chunk::kAllocatedBytes >= limits::kTrimBytesMin;
  free_some(free_count_least_);
  free_count_least_ = free_count_;
  // The allocator keeps what it gets back. After a burst this memory, and what else the burst has left, is to go to the system.
  if (large) malloc_trim(0);
}

void ChunkPool::free_some(std::size_t count) noexcept {
  for (; count > 0; --count) {
    Chunk* chunk = free_;
    free_ = chunk->next;
    ::operator delete(chunk);
    --free_count_;
  }
}

std::size_t ChunkQueue::offer_room(std::size_t bytes_max, std::span<MutableBytes> out) {
  CHECK(offered_ == nullptr);
  std::size_t count = 0;
  if (tail_ != nullptr && tail_->end < Chunk::kCapacityBytes && bytes_max > 0 && !out.empty()) {
    const std::size_t room = std::min(bytes_max, Chunk::kCapacityBytes - tail_->end);
    out[count++] = MutableBytes(tail_->data + tail_->end, room);
    bytes_max -= room;
  }
  Chunk** link = &offered_;
  while (bytes_max > 0 && count < out.size()) {
    *link = pool_.take();
    const std::size_t room = std::min(bytes_max, Chunk::kCapacityBytes);
    out[count++] = MutableBytes((*link)->data, room);
    bytes_max -= room;
    link = &(*link)->next;
  }
  return count;
}

void ChunkQueue::commit(std::size_t bytes) noexcept {
  size_ += bytes;
  if (tail_ != nullptr) {
    const std::size_t taken = std::min(bytes, Chunk::kCapacityBytes - tail_->end);
    tail_->end += static_cast<std::uint32_t>(taken);
    bytes -= taken;
  }
  while (bytes > 0) {
    CHECK(offered_ != nullptr);
    Chunk* chunk = offered_;
    offered_ = chunk->next;
    chunk->next = nullptr;
    const std::size_t taken = std::min(bytes, Chunk::kCapacityBytes);
    chunk->end = static_cast<std::uint32_t>(taken);
    bytes -= taken;
    (tail_ != nullptr ? tail_->next : head_) = chunk;
    tail_ = chunk;
  }
  while (offered_ != nullptr) {
    Chunk* chunk = offered_;
    offered_ = chunk->next;
    pool_.give_back(chunk);
  }
}

void ChunkQueue::push_chunk() {
  Chunk* chunk = pool_.take();
  (tail_ != nullptr ? tail_->next : head_) = chunk;
  tail_ = chunk;
}

void ChunkQueue::append(ConstBytes bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->end == Chunk::kCapacityBytes) push_chunk();
    const std::size_t taken = std::min(bytes.size(), Chunk::kCapacityBytes - tail_->end);
    std::memcpy(tail_->data + tail_->end, bytes.data(), taken);
    tail_->end += static_cast<std::uint32_t>(taken);
    size_ += taken;
    bytes = bytes.subspan(taken);
  }
}

std::size_t ChunkQueue::peek(std::span<ConstBytes> out) const noexcept {
  std::size_t count = 0;
  for (const Chunk* chunk = head_; chunk != nullptr && count < out.size(); chunk = chunk->next) {
    if (chunk->end > chunk->begin) out[count++] = ConstBytes(chunk->data + chunk->begin, chunk->end - chunk->begin);
  }
  return count;
}

void ChunkQueue::drop(std::size_t bytes) noexcept {
  CHECK(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    Chunk* chunk = head_;
    const std::size_t held = chunk->end - chunk->begin;
    if (bytes < held) {
      chunk->begin += static_cast<std::uint32_t>(bytes);
      return;
    }
    bytes -= held;
    head_ = chunk->next;
    if (head_ == nullptr) tail_ = nullptr;
    pool_.give_back(chunk);
  }
}

void ChunkQueue::clear() noexcept {
  commit(0);
  while (head_ != nullptr) {
    Chunk* chunk = head_;
    head_ = chunk->next;
    pool_.give_back(chunk);
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace qmux

// SPDX-License-Identifier: MIT
#include "quic/connection_memory.h"

#include <malloc.h>

#include <cstdint>
#include <cstdlib>

namespace qmux::quic {

ConnectionMemory::ConnectionMemory() noexcept : blocks_{&blocks_, &blocks_} {
  allocator_.user_data = this;
  allocator_.malloc = [](std::size_t bytes, void* self) {
    return static_cast<ConnectionMemory*>(self)->take(bytes, false);
  };
  allocator_.calloc = [](std::size_t count, std::size_t bytes, void* self) -> void* {
    if (bytes != 0 && count > SIZE_MAX / bytes) return nullptr;
    return static_cast<ConnectionMemory*>(self)->take(count * bytes, true);
  };
  allocator_.realloc = [](void* data, std::size_t bytes, void* self) {
    return static_cast<ConnectionMemory*>(self)->resize(data, bytes);
  };
  allocator_.free = [](void* data, void* self) { static_cast<ConnectionMemory*>(self)->give_back(data); };
}

ConnectionMemory::~ConnectionMemory() {
  while (blocks_.next != &blocks_) {
    Block* const block = blocks_.next;
    unlink(*block);
    std::free(block);
  }
}

void ConnectionMemory::link(Block& block) noexcept {
  block.next = blocks_.next;
  block.previous = &blocks_;
  block.next->previous = &block;
  blocks_.next = &block;
  ++block_count_;
  bytes_ += malloc_usable_size(&block);
}

void ConnectionMemory::unlink(Block& block) noexcept {
  block.previous->next = block.next;
  block.next->previous = block.previous;
  --block_count_;
  bytes_ -= malloc_usable_size(&block);
}

void* ConnectionMemory::take(std::size_t bytes, bool zeroed) noexcept {
  if (bytes > SIZE_MAX - sizeof(Block)) return nullptr;
  const std::size_t whole = sizeof(Block) + bytes;
  auto* const block = static_cast<Block*>(zeroed ? std::calloc(1, whole) : std::malloc(whole));
  if (block == nullptr) return nullptr;
  link(*block);
  return block + 1;
}

void ConnectionMemory::give_back(void* data) noexcept {
  if (data == nullptr || keep_all_) return;
  Block* const block = static_cast<Block*>(data) - 1;
  unlink(*block);
  std::free(block);
}

void* ConnectionMemory::resize(void* data, std::size_t bytes) noexcept {
  if (data == nullptr) return take(bytes, false);
  if (bytes > SIZE_MAX - sizeof(Block)) return nullptr;
  Block* const block = static_cast<Block*>(data) - 1;
  unlink(*block);
  auto* const moved = static_cast<Block*>(std::realloc(block, sizeof(Block) + bytes));
  link(moved != nullptr ? *moved : *block);
  return moved != nullptr ? moved + 1 : nullptr;
}

}  // namespace qmux::quic

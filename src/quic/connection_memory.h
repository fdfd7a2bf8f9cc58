// SPDX-License-Identifier: MIT
//
// The memory that ngtcp2 takes for one connection. It knows every block, so that all of it can be given back without ngtcp2's
// help when the library's own state can no longer be trusted (library_guard).
//
// Outlives the ngtcp2_conn made with it, and stays where it is; one thread.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>

namespace qmux::quic {

class ConnectionMemory {
 public:
  ConnectionMemory() noexcept;
  ConnectionMemory(const ConnectionMemory&) = delete;
  ConnectionMemory& operator=(const ConnectionMemory&) = delete;
  /// Gives back whatever is still taken.
  ~ConnectionMemory();

  [[nodiscard]] const ngtcp2_mem* allocator() const noexcept { return &allocator_; }
  /// From now on blocks that are given back stay untouched until the end of this object: a connection that is taken apart in
  /// a state of which nothing is known cannot give one back twice.
  void keep_all() noexcept { keep_all_ = true; }
  [[nodiscard]] std::size_t block_count() const noexcept { return block_count_; }
  /// What it has taken, as the allocator counts.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  /// In front of each block, of which it keeps the alignment.
  struct alignas(std::max_align_t) Block {
    Block* next;
    Block* previous;
  };

  void* take(std::size_t bytes, bool zeroed) noexcept;
  void give_back(void* data) noexcept;
  void* resize(void* data, std::size_t bytes) noexcept;
  void link(Block& block) noexcept;
  void unlink(Block& block) noexcept;

  ngtcp2_mem allocator_{};
  Block blocks_;  ///< a ring, with this one in it
  std::size_t block_count_ = 0;
  std::size_t bytes_ = 0;
  bool keep_all_ = false;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// UDP payloads that wait their turn, first in, first out, each with the time at which it came.
//
// They lie in a worker's chunks one behind the other, so that steady traffic allocates nothing and an empty queue holds
// nothing. One thread; the pool and the budget outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/time.h"

namespace qmux::tunnel {

/// What all queues of one worker may hold together.
struct PayloadBudget {
  explicit PayloadBudget(std::size_t the_bytes_max) noexcept : bytes_max(the_bytes_max) {}
  [[nodiscard]] bool has_room() const noexcept { return held_bytes < bytes_max; }

  const std::size_t bytes_max;
  std::size_t held_bytes = 0;  ///< in whole chunks, at the most
};

class PayloadQueue {
 public:
  /// Spans that one payload may lie in.
  static constexpr std::size_t kPiecesMax = 6;

  struct Front {
    std::uint32_t bytes = 0;
    bool escape = false;  ///< wire::needs_escape()
    Time since{};
  };

  PayloadQueue(ChunkPool& chunks, PayloadBudget& budget) noexcept : bytes_(chunks), budget_(budget) {}
  PayloadQueue(const PayloadQueue&) = delete;
  PayloadQueue& operator=(const PayloadQueue&) = delete;
  ~PayloadQueue() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Bytes held, with what the queue notes about each payload.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return bytes_.size(); }

  void push(ConstBytes payload, Time now);
  /// Of a queue that is not empty.
  [[nodiscard]] Front front() const noexcept;
  /// Bytes [offset, offset + length) of the front payload, in at most kPiecesMax spans of `out`; valid until pop().
  std::size_t view(std::size_t offset, std::size_t length, std::span<ConstBytes, kPiecesMax> out) const noexcept;
  void pop() noexcept;
  void clear() noexcept;

 private:
  void charge() noexcept;

  ChunkQueue bytes_;
  PayloadBudget& budget_;
  std::size_t charged_bytes_ = 0;
};

}  // namespace qmux::tunnel

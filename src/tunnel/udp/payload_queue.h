// SPDX-License-Identifier: MIT
//
// A first-in first-out queue of UDP payloads, each with the time of its arrival.
//
// They lie in a worker's chunks one after the other. So steady traffic allocates nothing, and an empty queue holds no memory. One
// thread; the pool and the account outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/time.h"
#include "tunnel/udp/payload_budget.h"

namespace qmux::tunnel {

class PayloadQueue {
 public:
  /// Spans that one payload may lie in.
  static constexpr std::size_t kPiecesMax = 6;

  struct Front {
    std::uint32_t bytes = 0;
    bool escape = false;  ///< wire::needs_escape()
    Time since{};
  };

  PayloadQueue(ChunkPool& chunks, PayloadAccount& account) noexcept : bytes_(chunks), account_(account) {}
  PayloadQueue(const PayloadQueue&) = delete;
  PayloadQueue& operator=(const PayloadQueue&) = delete;
  ~PayloadQueue() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Bytes held, including the queue's note about each payload.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return bytes_.size(); }

  void push(ConstBytes payload, Time now);
  /// The queue must not be empty.
  [[nodiscard]] Front front() const noexcept;
  /// Bytes [offset, offset + length) of the front payload, in at most kPiecesMax spans of `out`; valid until pop().
  std::size_t view(std::size_t offset, std::size_t length, std::span<ConstBytes, kPiecesMax> out) const noexcept;
  void pop() noexcept;
  void clear() noexcept;

 private:
  void charge() noexcept;

  ChunkQueue bytes_;
  PayloadAccount& account_;
  std::size_t charged_bytes_ = 0;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// What a stream is to send: acknowledged bytes leave at the front, unsent bytes stand at the back, and in between is what
// is in flight. The QUIC library refers to the bytes in flight by address, so they stay where they are until acknowledged.
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "base/chunk.h"

namespace qmux::quic {

class SendBuffer {
 public:
  explicit SendBuffer(ChunkPool& pool) noexcept : bytes_(pool) {}

  std::size_t offer_room(std::size_t bytes_max, std::span<MutableBytes> out) {
    return bytes_.offer_room(bytes_max, out);
  }
  void commit(std::size_t bytes) noexcept { bytes_.commit(bytes); }
  void append(ConstBytes bytes) { bytes_.append(bytes); }

  /// Views of the unsent bytes from the first on, as many as fit; returns how many of `out` were filled in.
  std::size_t unsent(std::span<ConstBytes> out) const noexcept;
  /// The first `bytes` of the unsent are in flight now.
  void mark_sent(std::size_t bytes) noexcept;
  /// The first `bytes` of those in flight have arrived.
  void acknowledge(std::size_t bytes) noexcept;
  /// Forgets everything. Only when the QUIC library refers to none of it any more.
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return bytes_.size() - in_flight_; }

 private:
  ChunkQueue bytes_;
  std::size_t in_flight_ = 0;
  /// Chunk of the first unsent byte and its offset in the data; nullptr: the first byte held.
  const Chunk* cursor_ = nullptr;
  std::size_t cursor_offset_ = 0;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/send_buffer.h"

#include <algorithm>

#include "base/check.h"

namespace qmux::quic {

std::size_t SendBuffer::unsent(std::span<ConstBytes> out) const noexcept {
  if (unsent_bytes() == 0) return 0;
  const Chunk* chunk = cursor_ != nullptr ? cursor_ : bytes_.head();
  std::size_t offset = cursor_ != nullptr ? cursor_offset_ : chunk->begin;
  std::size_t count = 0;
  while (chunk != nullptr && count < out.size()) {
    if (chunk->end > offset) out[count++] = ConstBytes(chunk->data + offset, chunk->end - offset);
    chunk = chunk->next;
    offset = chunk != nullptr ? chunk->begin : 0;
  }
  return count;
}

void SendBuffer::mark_sent(std::size_t bytes) noexcept {
  CHECK(bytes <= unsent_bytes());
  if (bytes == 0) return;
  if (cursor_ == nullptr) {
    cursor_ = bytes_.head();
    cursor_offset_ = cursor_->begin;
  }
  in_flight_ += bytes;
  for (;;) {
    const std::size_t step = std::min(bytes, cursor_->end - cursor_offset_);
    cursor_offset_ += step;
    bytes -= step;
    if (bytes == 0) return;
    cursor_ = cursor_->next;
    cursor_offset_ = cursor_->begin;
  }
}

void SendBuffer::acknowledge(std::size_t bytes) noexcept {
  CHECK(bytes <= in_flight_);
  in_flight_ -= bytes;
  // A cursor at the very end of its chunk moves on before that chunk can leave.
  if (cursor_ != nullptr && cursor_offset_ == cursor_->end && cursor_->next != nullptr) {
    cursor_ = cursor_->next;
    cursor_offset_ = cursor_->begin;
  }
  bytes_.drop(bytes);
  if (bytes_.empty()) cursor_ = nullptr;
}

void SendBuffer::clear() noexcept {
  bytes_.clear();
  in_flight_ = 0;
  cursor_ = nullptr;
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// The streams of a connection that have something to send, in turn. Intrusive: entering and leaving allocate nothing.
#pragma once

#include "quic/stream.h"

namespace qmux::quic {

class StreamQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Stream* front() const noexcept { return first_; }

  /// No-op for a stream that is in the queue already.
  void push_back(Stream& stream) noexcept {
    if (stream.in_send_queue_) return;
    stream.in_send_queue_ = true;
    stream.queue_next_ = nullptr;
    stream.queue_previous_ = last_;
    (last_ != nullptr ? last_->queue_next_ : first_) = &stream;
    last_ = &stream;
    ++size_;
  }
  /// No-op for a stream that is not in the queue.
  void remove(Stream& stream) noexcept {
    if (!stream.in_send_queue_) return;
    stream.in_send_queue_ = false;
    (stream.queue_previous_ != nullptr ? stream.queue_previous_->queue_next_ : first_) = stream.queue_next_;
    (stream.queue_next_ != nullptr ? stream.queue_next_->queue_previous_ : last_) = stream.queue_previous_;
    --size_;
  }
  /// The first becomes the last.
  void rotate() noexcept {
    if (first_ == last_) return;
    Stream& stream = *first_;
    remove(stream);
    push_back(stream);
  }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace qmux::quic

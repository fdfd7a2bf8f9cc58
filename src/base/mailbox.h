// SPDX-License-Identifier: MIT
//
// A bounded queue of values from other workers to one worker. post() may be called from any thread, take() only from the worker's
// thread. The poster wakes the worker (io::EventLoop::wake) after a post that found the queue empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace qmux {

template <typename Message>
class Mailbox {
 public:
  enum class Posted { refused, queued, queued_first };

  explicit Mailbox(std::size_t messages_max) : messages_max_(messages_max) {}

  /// `refused`: the queue is full or closed, and the caller keeps the message.
  Posted post(Message&& message) {
    const std::lock_guard lock(mutex_);
    if (closed_) return Posted::refused;
    if (messages_.size() >= messages_max_) {
      ++overflows_;
      return Posted::refused;
    }
    messages_.push_back(std::move(message));
    return messages_.size() == 1 ? Posted::queued_first : Posted::queued;
  }

  /// Everything posted since the last call, in order; `into` is emptied first and its capacity reused.
  void take(std::vector<Message>& into) {
    into.clear();
    const std::lock_guard lock(mutex_);
    std::swap(into, messages_);
  }

  /// Messages refused because the queue was full.
  [[nodiscard]] std::uint64_t overflows() {
    const std::lock_guard lock(mutex_);
    return overflows_;
  }

  /// No further message is accepted. Those in the queue can still be taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  const std::size_t messages_max_;
  std::mutex mutex_;
  std::vector<Message> messages_;
  std::uint64_t overflows_ = 0;
  bool closed_ = false;
};

}  // namespace qmux

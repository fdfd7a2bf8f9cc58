// SPDX-License-Identifier: MIT
//
// What has become ready on a loop, in the order in which it did. A source is queued at most once a kind, and is told in the
// loop's next pass; a source that is destroyed leaves the queue.
//
// One thread. The queue outlives its sources.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace qmux::sim {

class ReadyQueue;

class ReadySource {
 public:
  explicit ReadySource(ReadyQueue& queue) noexcept : queue_(queue) {}
  ReadySource(const ReadySource&) = delete;
  ReadySource& operator=(const ReadySource&) = delete;
  virtual ~ReadySource();

  /// Asks for told(kind) in the next pass; `kind` < 8.
  void enqueue(unsigned kind);

 protected:
  /// May destroy the source.
  virtual void told(unsigned kind) = 0;

 private:
  friend class ReadyQueue;
  ReadyQueue& queue_;
  unsigned queued_kinds_ = 0;
};

class ReadyQueue {
 public:
  /// `on_first` is called when the queue is no longer empty.
  explicit ReadyQueue(std::move_only_function<void()> on_first) : on_first_(std::move(on_first)) {}
  ~ReadyQueue() {
    CHECK(std::ranges::all_of(waiting_, [](const Entry& e) { return e.source == nullptr; }));
  }

  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

  /// Tells everything queued so far; what is queued meanwhile waits for the next call.
  void tell_all() {
    CHECK(telling_.empty());
    std::swap(telling_, waiting_);
    for (std::size_t i = 0; i < telling_.size(); ++i) {
      const Entry entry = telling_[i];
      if (entry.source == nullptr) continue;
      entry.source->queued_kinds_ &= ~(1U << entry.kind);
      entry.source->told(entry.kind);
    }
    telling_.clear();
  }

 private:
  friend class ReadySource;
  struct Entry {
    ReadySource* source;
    unsigned kind;
  };

  void push(ReadySource& source, unsigned kind) {
    waiting_.push_back({&source, kind});
    if (waiting_.size() == 1) on_first_();
  }
  void forget(const ReadySource& source) noexcept {
    for (auto* entries : {&waiting_, &telling_}) {
      for (Entry& entry : *entries) {
        if (entry.source == &source) entry.source = nullptr;
      }
    }
  }

  std::move_only_function<void()> on_first_;
  std::vector<Entry> waiting_;
  std::vector<Entry> telling_;
};

inline ReadySource::~ReadySource() { queue_.forget(*this); }

inline void ReadySource::enqueue(unsigned kind) {
  if ((queued_kinds_ & (1U << kind)) != 0) return;
  queued_kinds_ |= 1U << kind;
  queue_.push(*this, kind);
}

}  // namespace qmux::sim

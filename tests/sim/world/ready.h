// SPDX-License-Identifier: MIT
//
// What has become ready on a loop, in the order in which it did. A source is queued at most once a kind, and is notified in
// the loop's next pass; a source that is destroyed leaves the queue.
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

  /// Asks for ready(kind) in the next pass; `kind` < 8.
  void enqueue(unsigned kind);

 protected:
  /// May destroy the source.
  virtual void ready(unsigned kind) = 0;

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

  /// Notifies every source queued so far; what is queued meanwhile waits for the next call.
  void notify_all() {
    CHECK(notifying_.empty());
    std::swap(notifying_, waiting_);
    for (std::size_t i = 0; i < notifying_.size(); ++i) {
      const Entry entry = notifying_[i];
      if (entry.source == nullptr) continue;
      entry.source->queued_kinds_ &= ~(1U << entry.kind);
      entry.source->ready(entry.kind);
    }
    notifying_.clear();
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
    for (auto* entries : {&waiting_, &notifying_}) {
      for (Entry& entry : *entries) {
        if (entry.source == &source) entry.source = nullptr;
      }
    }
  }

  std::move_only_function<void()> on_first_;
  std::vector<Entry> waiting_;
  std::vector<Entry> notifying_;
};

inline ReadySource::~ReadySource() { queue_.forget(*this); }

inline void ReadySource::enqueue(unsigned kind) {
  if ((queued_kinds_ & (1U << kind)) != 0) return;
  queued_kinds_ |= 1U << kind;
  queue_.push(*this, kind);
}

}  // namespace qmux::sim

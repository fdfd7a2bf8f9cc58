// SPDX-License-Identifier: MIT
//
// A queue whose entries hold the links. Entering and leaving allocate nothing. An entry that is destroyed leaves the queue.
//
//   class Waiter : public QueueLink<Waiter> { ... };
//   Queue<Waiter> queue;
//
// One thread. A queue that is destroyed removes its entries; it does not own them.
#pragma once

#include <cstddef>

namespace qmux {

template <typename Entry>
class Queue;

template <typename Entry>
class QueueLink {
 public:
  QueueLink() noexcept = default;
  QueueLink(const QueueLink&) = delete;
  QueueLink& operator=(const QueueLink&) = delete;

  [[nodiscard]] bool is_queued() const noexcept { return queue_ != nullptr; }
  /// No-op when the entry is in no queue.
  void leave_queue() noexcept {
    if (queue_ != nullptr) queue_->remove(*this);
  }

 protected:
  ~QueueLink() { leave_queue(); }

 private:
  friend class Queue<Entry>;

  Queue<Entry>* queue_ = nullptr;
  QueueLink* previous_ = nullptr;
  QueueLink* next_ = nullptr;
};

template <typename Entry>
class Queue {
 public:
  Queue() noexcept = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() {
    while (pop_front() != nullptr) {
    }
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// No-op for an entry that is already in this queue. The entry is in no other queue.
  void push_back(QueueLink<Entry>& link) noexcept {
    if (link.queue_ != nullptr) return;
    link.queue_ = this;
    link.previous_ = last_;
    link.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &link;
    last_ = &link;
    ++size_;
  }
  /// Takes the first entry out; nullptr when there is none.
  Entry* pop_front() noexcept {
    if (first_ == nullptr) return nullptr;
    QueueLink<Entry>& link = *first_;
    remove(link);
    return static_cast<Entry*>(&link);
  }

 private:
  friend class QueueLink<Entry>;

  void remove(QueueLink<Entry>& link) noexcept {
    (link.previous_ != nullptr ? link.previous_->next_ : first_) = link.next_;
    (link.next_ != nullptr ? link.next_->previous_ : last_) = link.previous_;
    link.queue_ = nullptr;
    --size_;
  }

  QueueLink<Entry>* first_ = nullptr;
  QueueLink<Entry>* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace qmux

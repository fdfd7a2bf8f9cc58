// SPDX-License-Identifier: MIT
//
// Sockets that had more data than one pass reads from them. They continue in the next pass, after the other sockets have had
// their turn.
//
// One a worker; one thread.
#pragma once

#include <algorithm>
#include <vector>

#include "base/io/event_loop.h"

namespace qmux::tunnel {

class Unread {
 public:
  class Events {
   public:
    virtual void read_on() = 0;

   protected:
    ~Events() = default;
  };

  explicit Unread(io::EventLoop& loop) noexcept : loop_(loop) {}

  void add(Events& reader) {
    readers_.push_back(&reader);
    loop_.request_pass();
  }
  void forget(const Events& reader) noexcept {
    std::ranges::replace(readers_, const_cast<Events*>(&reader), nullptr);
    std::ranges::replace(resuming_, const_cast<Events*>(&reader), nullptr);
  }
  /// Call it once a pass. It resumes the readers added in the pass before.
  void resume() {
    std::swap(readers_, resuming_);
    for (std::size_t i = 0; i < resuming_.size(); ++i) {
      if (resuming_[i] != nullptr) resuming_[i]->read_on();
    }
    resuming_.clear();
  }

 private:
  io::EventLoop& loop_;
  std::vector<Events*> readers_;
  std::vector<Events*> resuming_;
};

}  // namespace qmux::tunnel

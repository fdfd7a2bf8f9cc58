// SPDX-License-Identifier: MIT
//
// Events of UDP sessions on one worker that their entrances have not been notified of yet. Sessions may end inside any call, so
// the events wait here until the listener passes them on at the end of the pass.
//
// Owned by the worker's part of the listener; one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/io/event_loop.h"
#include "tunnel/server/udp_visitor.h"

namespace qmux::tunnel {

class UdpEventQueue {
 public:
  using Events = std::vector<UdpSessionEvent>;

  /// `entrances`: one a worker.
  UdpEventQueue(io::EventLoop& loop, std::size_t entrances) : loop_(loop), events_(entrances) {}

  void add(std::size_t entrance, const UdpSessionEvent& event) {
    events_[entrance].push_back(event);
    loop_.request_pass();
  }
  /// The events of one entrance, in the order in which they happened. The caller removes those that it has passed on.
  [[nodiscard]] Events& of(std::size_t entrance) noexcept { return events_[entrance]; }

 private:
  io::EventLoop& loop_;
  std::vector<Events> events_;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// What has happened to UDP sessions on one worker and their entrances have not been notified of yet. Sessions may end inside
// any call; so it only waits here, until the listener passes it on at the end of the pass.
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
  /// Those of one entrance, in the order in which they happened; the caller takes out what it has passed on.
  [[nodiscard]] Events& of(std::size_t entrance) noexcept { return events_[entrance]; }

 private:
  io::EventLoop& loop_;
  std::vector<Events> events_;
};

}  // namespace qmux::tunnel

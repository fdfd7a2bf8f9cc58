// SPDX-License-Identifier: MIT
//
// Tells the client, some at a time, which of its UDP sessions have ended at the server (capability udp-end), so that it does not
// keep their sockets until it thinks so itself.
//
// One a connection; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/io/event_loop.h"
#include "base/timer_queue.h"

namespace qmux::tunnel {

class EndNotice {
 public:
  /// `tell`: true, the message is on its way; false, not now.
  EndNotice(io::EventLoop& loop, std::move_only_function<bool(const std::vector<std::uint32_t>& sessions)> tell);

  /// Told soon, together with the others of the moment. When too many wait, or the client knows no such message, it finds out
  /// by itself.
  void add(std::uint32_t session);

 private:
  void send();

  io::EventLoop& loop_;
  std::move_only_function<bool(const std::vector<std::uint32_t>&)> tell_;
  std::vector<std::uint32_t> ended_;  ///< the oldest first
  Timer due_;
};

}  // namespace qmux::tunnel

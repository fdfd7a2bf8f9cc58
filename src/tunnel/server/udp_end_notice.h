// SPDX-License-Identifier: MIT
//
// Notifies the client in batches which of its UDP sessions have ended at the server (capability udp-end). Otherwise it would keep
// their sockets until its own idle timeout.
//
// One a connection; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/counter.h"
#include "base/io/event_loop.h"
#include "base/timer_queue.h"

namespace qmux::tunnel {

class UdpEndNotice {
 public:
  /// `notify` returns true when the message was sent, false when it cannot be sent now. `dropped` counts the ends that are not
  /// reported; it outlives this.
  UdpEndNotice(io::EventLoop& loop, Counter& dropped,
               std::move_only_function<bool(const std::vector<std::uint32_t>& sessions)> notify);

  /// The client is notified soon, together with other recent ends. When too many wait, it is dropped
  /// and counted: the client's own idle timeout ends the session.
  void add(std::uint32_t session);

 private:
  void send();

  io::EventLoop& loop_;
  Counter& dropped_;
  std::move_only_function<bool(const std::vector<std::uint32_t>&)> notify_;
  std::vector<std::uint32_t> ended_;  ///< the oldest first
  Timer due_;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// What a relay does differently when the peer is a Go client; docs/PROTOCOL.md, "What the Go programs get
// wrong". It removes the ConnClose that such a client appends, and holds a visitor's FIN back, because the client would end
// the other direction on it.
//
// Owned by its relay, which exists only for as long; one thread. The callbacks run from the loop's timers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "wire/conn_close_trailer.h"

namespace qmux::tunnel {

class GoClientRules {
 public:
  /// `deliver_due`: bytes that looked like the beginning of a trailer are not: ask share() again. `fin_due`: the client has
  /// been silent for long enough.
  GoClientRules(io::EventLoop& loop, std::uint64_t conn_id, std::move_only_function<void()> deliver_due,
                std::move_only_function<void()> fin_due);

  /// What is to become of bytes received.
  struct Share {
    std::size_t deliver = 0;   ///< this many go to the visitor
    std::size_t drop = 0;      ///< this many after those are the trailer; the rest waits
    bool dial_failed = false;  ///< the trailer says that the local service was not reached
  };
  /// `readable` and `at_fin` as for wire::ConnCloseTrailer::judge().
  [[nodiscard]] Share share(std::span<const ConstBytes> readable, bool at_fin);

  /// The client has sent something.
  void heard();
  /// The visitor has sent FIN: `fin_due` follows once the client is silent.
  void hold_fin();

 private:
  io::EventLoop& loop_;
  const wire::ConnCloseTrailer trailer_;
  Timer tail_timer_;
  Timer fin_timer_;
  std::size_t tail_bytes_ = 0;  ///< held back as a possible beginning
  bool tail_expired_ = false;   ///< for which nothing has come
};

}  // namespace qmux::tunnel

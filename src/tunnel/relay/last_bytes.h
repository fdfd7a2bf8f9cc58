// SPDX-License-Identifier: MIT
//
// The wait of a tunnel that ends in a reset: what its side that was reset had sent before is still on its way, and the reset
// follows once that has arrived. Bounded by limits::kLastBytesIdleTimeMax and limits::kLastBytesTimeMax.
//
// Owned by a relay; one thread. `look` runs from the loop's timers, at growing intervals: what a far TCP end has acknowledged
// is announced by nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/io/event_loop.h"
#include "base/timer_queue.h"

namespace qmux::tunnel {

class LastBytes {
 public:
  enum class Way : std::uint8_t {
    to_stream,  ///< our socket was reset: its bytes to the peer
    to_socket,  ///< the far socket takes nothing any more, or was reset: its bytes to our socket
  };
  enum class Progress : std::uint8_t { some, none, out_of_time };

  /// `look` follows.
  LastBytes(io::EventLoop& loop, Way way, std::move_only_function<void()> look);

  [[nodiscard]] Way way() const noexcept { return way_; }
  /// `left`: how many bytes have not arrived yet. Without progress for `idle_time_max` it is out of time; otherwise `look`
  /// follows.
  [[nodiscard]] Progress wait(std::size_t left, Duration idle_time_max);

  /// All that can still come is there: the reset need not wait for more.
  bool then_reset = false;

 private:
  io::EventLoop& loop_;
  const Way way_;
  const Time begun_;
  Time moved_;
  Duration interval_;
  std::size_t left_ = 0;
  Timer look_;
};

}  // namespace qmux::tunnel

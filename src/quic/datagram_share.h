// SPDX-License-Identifier: MIT
//
// Which is next when datagrams and streams both wait: every flow of datagrams has the share of one stream. Streams send
// one stream's turn, then datagrams send as much as is due to them for that; so a datagram that comes while none waits is
// behind one turn at most, and neither side ever waits for the other to run dry.
#pragma once

#include <algorithm>
#include <cstddef>

#include "quic/datagrams.h"
#include "quic/limits.h"

namespace qmux::quic {

class DatagramShare {
 public:
  /// Called for all that streams send, whether datagrams wait or not.
  void streams_sent(std::size_t bytes) noexcept { stream_bytes_ += bytes; }
  /// Called for what datagrams send while streams wait too.
  void datagrams_sent(std::size_t bytes) noexcept { due_bytes_ -= static_cast<std::ptrdiff_t>(bytes); }
  /// Datagrams wait, after none did: streams have had a turn, or part of one, but no more than that is saved up.
  void datagrams_came() noexcept {
    stream_bytes_ = std::min(stream_bytes_, limits::kStreamTurnBytesMax);
    due_bytes_ = 0;
  }
  /// Of datagrams and `streams` > 0 streams that wait, the datagrams are next.
  [[nodiscard]] bool datagrams_next(const DatagramHost& host, std::size_t streams) {
    if (due_bytes_ > 0) return true;
    if (stream_bytes_ < limits::kStreamTurnBytesMax) return false;
    const std::size_t share = stream_bytes_ * host.flows_waiting() / streams;
    due_bytes_ +=
        static_cast<std::ptrdiff_t>(std::clamp(share, limits::kDatagramTurnBytesMin, limits::kDatagramTurnBytesMax));
    stream_bytes_ = 0;
    return due_bytes_ > 0;
  }
  /// Streams may fill packets while it is the datagrams' turn: it counts as theirs.
  [[nodiscard]] bool streams_may_fill() const noexcept { return stream_bytes_ < limits::kStreamTurnBytesMax; }

 private:
  std::size_t stream_bytes_ = 0;  ///< sent by streams since datagrams were last granted something
  std::ptrdiff_t due_bytes_ = 0;  ///< what datagrams may send of that; below zero after one that was larger
};

}  // namespace qmux::quic

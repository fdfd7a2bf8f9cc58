// SPDX-License-Identifier: MIT
//
// Keeps packets to what the path takes when that shrinks in mid-session, and tries larger ones again; ngtcp2 1.11 does neither.
// It searches upwards once, with probes of its own, and keeps to what it found. It makes smaller packets, though, when it is
// given less room, and that is what this decides.
//
// Packets are limited to the 1,200 bytes that every QUIC path takes when
//   - large packets are lost one after another (BlackHoleDetector),
//   - nothing at all is acknowledged for a probe timeout, or
//   - the socket refuses one.
//
// As soon as something arrives then, single packets that carry data are allowed more (RFC 8899 section 4.1). The search has
// three phases:
//   search_largest   what ngtcp2 takes for the largest, since most often the path was merely out for a moment
//   search_next      that was lost: the next size above the limit, and so on from there
//   search_complete  that was lost, too
// The largest is tried again after a rest, which doubles each time. One packet at a time is followed (PacketWatch). So a limit
// without a cause is lifted in some round trips, and a failed attempt costs a packet.
//
// Owned by a Connection, one thread; pure: the time and everything else is passed in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "quic/ack_frame.h"
#include "quic/black_hole_detector.h"
#include "quic/limits.h"
#include "quic/packet_watch.h"

namespace qmux::quic {

/// In all that follows, `path_bytes` is what ngtcp2 takes for the largest packet.
class PathMtu {
 public:
  /// Every QUIC path takes this (RFC 9000 section 14).
  static constexpr std::size_t kBaseBytes = 1200;

  [[nodiscard]] bool limited(std::size_t path_bytes) const noexcept { return limit_bytes_ < path_bytes; }
  [[nodiscard]] std::size_t packet_bytes(std::size_t path_bytes) const noexcept {
    return std::min(limit_bytes_, path_bytes);
  }
  /// What the next packet may hold: packet_bytes(), or more where it is time to try that.
  [[nodiscard]] std::size_t next_packet_bytes(std::size_t path_bytes, Time now) const noexcept;
  /// The packet was made. It is followed when its fate says something about the path.
  void packet_sent(std::uint64_t number, std::size_t bytes, std::size_t path_bytes, Time now) noexcept;
  /// The socket did not take packets of this size (EMSGSIZE).
  void packet_refused(std::size_t bytes, std::size_t path_bytes, Time now) noexcept;
  /// A packet's fate is awaited: ack_received() and check() are of interest.
  [[nodiscard]] bool watching() const noexcept { return watch_.watching(); }
  void ack_received(const AckFrame& ack) noexcept;
  /// Before packets are made: has the watched one been away for too long? `pto`: RFC 9002 section 6.2.1, without backoff.
  void check(Time now, Duration pto) noexcept;
  /// What was learnt about the path is to be learnt again; packets stay as they are until then.
  void path_changed() noexcept;

 private:
  enum class Phase : std::uint8_t { search_largest, search_next, search_complete };

  static constexpr std::size_t kNoLimit = SIZE_MAX;
  /// What one DATAGRAM frame leaves of a packet that it fills: room for a packet number of four bytes, of which one is taken.
  static constexpr std::size_t kSlackBytes = 3;

  [[nodiscard]] Phase phase(Time now) const noexcept { return now >= raise_at_ ? Phase::search_largest : phase_; }
  void packet_lost(Time now) noexcept;
  void attempt_arrived() noexcept;
  /// The path does not take the size that was tried.
  void attempt_failed(Time now) noexcept;
  void largest_failed(Time now) noexcept;
  void limit_to_base() noexcept;
  void search_anew() noexcept;

  std::size_t limit_bytes_ = kNoLimit;
  PacketWatch watch_;
  BlackHoleDetector black_hole_;

  Phase phase_ = Phase::search_largest;
  int attempts_ = 0;  ///< lost, at the size that is being tried
  Time raise_at_{};   ///< the largest is tried again (PMTU_RAISE_TIMER of RFC 8899 section 5.1.1)
  Duration rest_ = limits::kPathMtuRestTimeMin;
};

}  // namespace qmux::quic

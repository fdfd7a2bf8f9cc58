// SPDX-License-Identifier: MIT
//
// Keeps packets to what the path takes when that shrinks in mid-session: detection of black holes (RFC 8899 section 4.3) and
// the way back up, both of which ngtcp2 1.11 leaves out. ngtcp2 searches upwards once, with probes of its own, and keeps to
// what it found; it makes smaller packets, though, when it is given less room, and that is what this decides.
//
// One packet at a time is watched: whether it is acknowledged. When large ones are lost one after another, packets are limited
// to the 1,200 bytes that every QUIC path takes. As soon as something arrives then, single packets are allowed more (RFC 8899
// section 4.1 probes with data too): first what ngtcp2 takes for the largest, since the path may merely have been out for a
// while; when that is in vain, the next size above the limit, which follows when the packet has arrived. So a limit for no
// reason is gone in some round trips, and an attempt in vain costs a packet.
//
// Owned by a Connection, one thread; pure: told the time and everything else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "quic/ack_frame.h"
#include "quic/limits.h"

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
  /// The packet was made. It is watched when it can tell something.
  void packet_sent(std::uint64_t number, std::size_t bytes, std::size_t path_bytes, Time now) noexcept {
    if (watching_) return;
    // Small ones tell nothing about the path, nor do probes of ngtcp2's own.
    if (anything_arrives_ && (bytes <= kBaseBytes || bytes > path_bytes)) return;
    watch(number, bytes, path_bytes, now);
  }
  /// The socket did not take packets of this size (EMSGSIZE).
  void packet_refused(std::size_t bytes, std::size_t path_bytes, Time now) noexcept;
  /// A packet's fate is awaited: ack_received() and check() are of interest.
  [[nodiscard]] bool watching() const noexcept { return watching_; }
  void ack_received(const AckFrame& ack) noexcept;
  /// Before packets are made: has the watched one been away for too long? `pto`: RFC 9002 section 6.2.1, without backoff.
  void check(Time now, Duration pto) noexcept;
  /// What was learnt about the path is to be learnt again; packets stay as they are until then.
  void path_changed() noexcept;

 private:
  static constexpr std::size_t kNoLimit = SIZE_MAX;
  /// What one DATAGRAM frame leaves of a packet that it fills: room for a packet number of four bytes, of which one is taken.
  static constexpr std::size_t kSlackBytes = 3;

  struct Watched {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;  ///< that it might have held
    std::size_t path_bytes = 0;
    Time sent_at{};
    bool overtaken = false;  ///< a later one has arrived
  };

  void watch(std::uint64_t number, std::size_t bytes, std::size_t path_bytes, Time now) noexcept;
  void watched_has_arrived() noexcept;
  void watched_is_lost(Time now) noexcept;
  void limit_to_base() noexcept;
  void search_anew() noexcept;
  [[nodiscard]] bool tried_largest() const noexcept { return watched_.bytes_max == watched_.path_bytes; }
  /// The path does not take a size above the limit: the largest, or the next.
  void size_is_in_vain(bool largest, Time now) noexcept;

  std::size_t limit_bytes_ = kNoLimit;
  /// False: nothing has, since the watched packet was sent. At the beginning too, so that a peer whose ACK frames are never
  /// found costs no size.
  bool anything_arrives_ = false;
  bool watching_ = false;
  Watched watched_;
  int losses_ = 0;              ///< of packets within the limit, in a row
  std::size_t loss_bytes_ = 0;  ///< the smallest of these

  int attempts_ = 0;       ///< in vain, at the size that is being tried
  Time largest_next_{};    ///< when to try the largest
  bool climbing_ = false;  ///< until then, the next size above the limit
  Duration rest_ = limits::kPathMtuRestMin;
};

}  // namespace qmux::quic

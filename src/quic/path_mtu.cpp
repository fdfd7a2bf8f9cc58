// SPDX-License-Identifier: MIT
#include "quic/path_mtu.h"

#include "quic/packet_sizes.h"

namespace qmux::quic {

std::size_t PathMtu::next_packet_bytes(std::size_t path_bytes, Time now) const noexcept {
  if (!limited(path_bytes) || !watch_.idle()) return packet_bytes(path_bytes);
  switch (phase(now)) {
    case Phase::search_largest:
      return path_bytes;
    case Phase::search_next:
      if (const std::size_t next = next_packet_size(limit_bytes_); next < path_bytes) return next;
      break;
    case Phase::search_complete:
      break;
  }
  return limit_bytes_;
}

void PathMtu::packet_sent(std::uint64_t number, std::size_t bytes, std::size_t path_bytes, Time now) noexcept {
  if (watch_.watching()) return;
  // Small ones say nothing about the path, nor do probes of ngtcp2's own; only whether anything arrives.
  if (watch_.idle() && (bytes <= kBaseBytes || bytes > path_bytes)) return;
  watch_.begin({.number = number,
                .bytes = bytes,
                .bytes_max = next_packet_bytes(path_bytes, now),
                .path_bytes = path_bytes,
                .sent_at = now});
}

void PathMtu::ack_received(const AckFrame& ack) noexcept {
  if (!watch_.ack_received(ack)) return;
  if (watch_.packet().bytes > limit_bytes_) attempt_arrived();
  black_hole_.packet_arrived(watch_.packet().bytes);
}

void PathMtu::check(Time now, Duration pto) noexcept {
  if (watch_.overdue(now, pto)) packet_lost(now);
}

void PathMtu::packet_lost(Time now) noexcept {
  const std::size_t bytes = watch_.packet().bytes;
  if (bytes > limit_bytes_) {
    watch_.end();
    if (++attempts_ == limits::kPathMtuAttemptsMax) attempt_failed(now);
  } else if (!watch_.overtaken()) {
    // All that was sent with it and after it is gone as well, or late. The probes that are made next (RFC 9002 section 6.2.4)
    // are to get through, whatever it was. It stays watched: what arrives from now on shows that anything does.
    limit_to_base();
    watch_.silence();
  } else {
    watch_.end();
    if (black_hole_.packet_lost(bytes)) limit_to_base();
  }
}

void PathMtu::packet_refused(std::size_t bytes, std::size_t path_bytes, Time now) noexcept {
  if (bytes > path_bytes) return;  // a probe of ngtcp2's own
  if (bytes > limit_bytes_) {
    // If it is not the one that was tried, it was made before the limit, together with the first that was refused.
    if (!watch_.following() || watch_.packet().bytes != bytes) return;
    watch_.end();
    attempt_failed(now);
  } else if (bytes > kBaseBytes) {
    watch_.end();
    limit_to_base();
    largest_failed(now);
  }
}

void PathMtu::path_changed() noexcept {
  black_hole_.reset();
  search_anew();
}

// --- the search -------------------------------------------------------------------------------------------------------

void PathMtu::attempt_arrived() noexcept {
  const PacketWatch::Packet& packet = watch_.packet();
  attempts_ = 0;
  limit_bytes_ = packet.bytes + kSlackBytes >= packet.bytes_max ? packet.bytes_max : packet.bytes;
  if (limit_bytes_ >= packet.path_bytes) limit_bytes_ = kNoLimit;
}

void PathMtu::attempt_failed(Time now) noexcept {
  if (watch_.packet().bytes_max == watch_.packet().path_bytes) return largest_failed(now);
  attempts_ = 0;
  phase_ = Phase::search_complete;
}

void PathMtu::largest_failed(Time now) noexcept {
  attempts_ = 0;
  phase_ = Phase::search_next;
  raise_at_ = now + rest_;
  rest_ = std::min<Duration>(2 * rest_, limits::kPathMtuRestTimeMax);
}

void PathMtu::limit_to_base() noexcept {
  limit_bytes_ = kBaseBytes;
  black_hole_.reset();
  search_anew();
}

void PathMtu::search_anew() noexcept {
  attempts_ = 0;
  phase_ = Phase::search_largest;
  raise_at_ = {};
  rest_ = limits::kPathMtuRestTimeMin;
}

}  // namespace qmux::quic

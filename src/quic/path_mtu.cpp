// SPDX-License-Identifier: MIT
#include "quic/path_mtu.h"

#include "quic/packet_sizes.h"

namespace qmux::quic {

std::size_t PathMtu::next_packet_bytes(std::size_t path_bytes, Time now) const noexcept {
  if (!limited(path_bytes) || !anything_arrives_ || watching_) return packet_bytes(path_bytes);
  if (now >= largest_next_) return path_bytes;
  const std::size_t next = climbing_ ? next_packet_size(limit_bytes_) : kNoLimit;
  return next < path_bytes ? next : limit_bytes_;
}

void PathMtu::watch(std::uint64_t number, std::size_t bytes, std::size_t path_bytes, Time now) noexcept {
  watched_ = {.number = number,
              .bytes = bytes,
              .bytes_max = next_packet_bytes(path_bytes, now),
              .path_bytes = path_bytes,
              .sent_at = now,
              .overtaken = false};
  watching_ = true;
}

void PathMtu::ack_received(const AckFrame& ack) noexcept {
  if (!watching_) return;
  if (ack.acknowledges(watched_.number)) {
    watched_has_arrived();
  } else if (ack.largest() > watched_.number) {
    watched_.overtaken = true;
    watching_ = anything_arrives_;
    anything_arrives_ = true;
  }
}

void PathMtu::watched_has_arrived() noexcept {
  watching_ = false;
  anything_arrives_ = true;
  if (watched_.bytes > limit_bytes_) {
    attempts_ = 0;
    limit_bytes_ = watched_.bytes + kSlackBytes >= watched_.bytes_max ? watched_.bytes_max : watched_.bytes;
    if (limit_bytes_ >= watched_.path_bytes) limit_bytes_ = kNoLimit;
  }
  if (watched_.bytes >= loss_bytes_) losses_ = 0;
}

void PathMtu::check(Time now, Duration pto) noexcept {
  if (watching_ && anything_arrives_ && now - watched_.sent_at >= pto) watched_is_lost(now);
}

void PathMtu::watched_is_lost(Time now) noexcept {
  if (watched_.bytes > limit_bytes_) {
    watching_ = false;
    if (++attempts_ == limits::kPathMtuAttemptsMax) size_is_in_vain(tried_largest(), now);
    return;
  }
  if (!watched_.overtaken) {
    // All that was sent with it and after it is gone as well, or late. The probes that are made next (RFC 9002 section 6.2.4)
    // are to get through, whatever it was. It stays watched: what arrives from now on tells that anything does.
    limit_to_base();
    anything_arrives_ = false;
    return;
  }
  watching_ = false;
  loss_bytes_ = losses_ == 0 ? watched_.bytes : std::min(loss_bytes_, watched_.bytes);
  if (++losses_ == limits::kPathMtuLossesMax) limit_to_base();
}

void PathMtu::packet_refused(std::size_t bytes, std::size_t path_bytes, Time now) noexcept {
  if (bytes > path_bytes) return;  // a probe of ngtcp2's own
  if (bytes > limit_bytes_) {
    // If it is not the one that was tried, it was made before the limit, together with the first that was refused.
    if (!watching_ || !anything_arrives_ || watched_.bytes != bytes) return;
    watching_ = false;
    size_is_in_vain(tried_largest(), now);
  } else if (bytes > kBaseBytes) {
    watching_ = false;
    limit_to_base();
    size_is_in_vain(true, now);
  }
}

void PathMtu::path_changed() noexcept {
  losses_ = 0;
  search_anew();
}

void PathMtu::limit_to_base() noexcept {
  limit_bytes_ = kBaseBytes;
  losses_ = 0;
  search_anew();
}

void PathMtu::search_anew() noexcept {
  attempts_ = 0;
  largest_next_ = {};
  climbing_ = false;
  rest_ = limits::kPathMtuRestMin;
}

void PathMtu::size_is_in_vain(bool largest, Time now) noexcept {
  attempts_ = 0;
  climbing_ = largest;
  if (!largest) return;
  largest_next_ = now + rest_;
  rest_ = std::min<Duration>(2 * rest_, limits::kPathMtuRestMax);
}

}  // namespace qmux::quic

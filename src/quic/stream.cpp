// SPDX-License-Identifier: MIT
#include "quic/stream.h"

#include <algorithm>

#include "base/check.h"

namespace qmux::quic {

Stream::Stream(StreamHost& host, ChunkPool& pool, std::int64_t id) noexcept
    : host_(host), id_(id), send_(pool), received_(pool) {}

void Stream::set_events(StreamEvents* events) noexcept {
  events_ = events;
  if (events == nullptr) return;
  if (!received_.empty() || fin_received_ || reset_received_) {
    pending_.readable = true;
    host_.stream_has_events(*this);
  }
}

std::size_t Stream::send_room(std::size_t bytes_max, std::span<MutableBytes> out) {
  CHECK(!finish_wanted_);
  const std::size_t limit = host_.unsent_bytes_max(*this);
  const std::size_t unsent = send_.unsent_bytes();
  if (send_stopped_ || unsent >= limit) {
    writable_wanted_ = true;
    return 0;
  }
  return send_.offer_room(std::min(bytes_max, limit - unsent), out);
}

void Stream::commit(std::size_t bytes) {
  send_.commit(bytes);
  if (bytes > 0) host_.stream_has_data(*this);
}

void Stream::send_copy(ConstBytes bytes) {
  CHECK(!finish_wanted_);
  if (send_stopped_ || bytes.empty()) return;
  send_.append(bytes);
  host_.stream_has_data(*this);
}

void Stream::finish() {
  if (finish_wanted_ || send_stopped_) return;
  finish_wanted_ = true;
  host_.stream_has_data(*this);
}

void Stream::reset(ErrorCode code) {
  if (send_stopped_ || send_done_) return;
  send_stopped_ = true;
  host_.stream_reset(*this, code);
}

void Stream::return_credit(std::size_t bytes) {
  if (bytes > 0) host_.stream_consumed(*this, bytes);
}

void Stream::stop_reading(ErrorCode code) {
  if (reading_stopped_) return;
  reading_stopped_ = true;
  received_.clear();
  if (!fin_received_ && !reset_received_) host_.stream_stop_reading(*this, code);
}

void Stream::release() {
  CHECK(!released_);
  events_ = nullptr;
  released_ = true;
  if (!finish_wanted_) reset(ErrorCode::internal);
  stop_reading(ErrorCode::internal);
  host_.stream_released(*this);
}

}  // namespace qmux::quic

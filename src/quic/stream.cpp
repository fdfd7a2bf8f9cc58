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
  if (!received_.empty() || recv_state_ != RecvState::recv) notify({.readable = true});
}

void Stream::notify(Pending what) {
  pending_.readable = pending_.readable || what.readable;
  pending_.writable = pending_.writable || what.writable;
  pending_.send_done = pending_.send_done || what.send_done;
  host_.stream_has_events(*this);
}

// --- sending ----------------------------------------------------------------------------------------------------------

std::size_t Stream::send_room(std::size_t bytes_max, std::span<MutableBytes> out) {
  CHECK(!fin_queued_);
  const std::size_t limit = host_.unsent_bytes_max(*this);
  const std::size_t unsent = send_.unsent_bytes();
  if (send_stopped() || unsent >= limit) {
    writable_wanted_ = true;
    return 0;
  }
  return send_.offer_room(std::min(bytes_max, limit - unsent), out);
}

void Stream::commit(std::size_t bytes) {
  CHECK(bytes == 0 || !fin_queued_);
  send_.commit(bytes);
  if (bytes > 0) host_.stream_has_data(*this);
}

void Stream::send_copy(ConstBytes bytes) {
  CHECK(!fin_queued_);
  if (send_stopped() || bytes.empty()) return;
  send_.append(bytes);
  host_.stream_has_data(*this);
}

void Stream::finish() {
  if (fin_queued_ || send_stopped()) return;
  fin_queued_ = true;
  host_.stream_has_data(*this);
}

void Stream::sent(std::size_t bytes, bool with_fin) {
  CHECK(is_sending());
  send_.mark_sent(bytes);
  if (with_fin) CHECK(fin_queued_ && send_.unsent_bytes() == 0);
  send_state_ = with_fin ? SendState::data_sent : SendState::send;
}

void Stream::notify_room() {
  if (!writable_wanted_ || send_.unsent_bytes() > host_.unsent_bytes_max(*this) / 2) return;
  writable_wanted_ = false;
  notify({.writable = true});
}

void Stream::acknowledged(std::size_t bytes) {
  if (send_stopped()) return;  // what it held is gone
  send_.acknowledge(bytes);
  if (send_.size() > 0) return;
  const bool all = send_state_ == SendState::data_sent;
  if (all) send_state_ = SendState::data_recvd;
  if (std::exchange(acknowledged_wanted_, false) || all) notify({.send_done = true});
}

void Stream::credit_received() {
  if (std::exchange(blocked_, false)) host_.stream_has_data(*this);
}

void Stream::reset(ErrorCode code) {
  if (send_stopped() || send_state_ == SendState::data_recvd) return;
  send_state_ = SendState::reset_sent;
  host_.stream_reset(*this, code);
}

void Stream::stopped_by_peer() {
  if (send_stopped() || send_state_ == SendState::data_recvd) return;
  send_state_ = SendState::reset_sent;
  send_.clear();
  notify({.writable = true, .send_done = true});
}

void Stream::drop_unacknowledged() {
  CHECK(send_stopped());
  send_.clear();
}

// --- receiving --------------------------------------------------------------------------------------------------------

void Stream::receive(ConstBytes bytes, bool fin) {
  // ngtcp2 reports nothing after the end.
  if (recv_state_ != RecvState::recv) return;
  if (!reading_stopped_) received_.append(bytes);
  if (fin) recv_state_ = RecvState::data_recvd;
  note_read();
  if (!reading_stopped_) notify({.readable = true});
}

void Stream::reset_by_peer(std::uint64_t code) {
  reset_code_ = code;
  if (recv_state_ == RecvState::recv) recv_state_ = RecvState::reset_recvd;
  notify({.readable = true});
}

void Stream::return_credit(std::size_t bytes) {
  if (bytes > 0) host_.stream_consumed(*this, bytes);
}

void Stream::stop_reading(ErrorCode code) {
  if (reading_stopped_) return;
  reading_stopped_ = true;
  received_.clear();
  note_read();
  if (recv_state_ == RecvState::recv) host_.stream_stop_reading(*this, code);
}

// --- its life ---------------------------------------------------------------------------------------------------------

void Stream::release() {
  CHECK(!released_);
  events_ = nullptr;
  released_ = true;
  if (!fin_queued_) reset(ErrorCode::internal);
  stop_reading(ErrorCode::internal);
  host_.stream_released(*this);
}

void Stream::closed() {
  CHECK(!closed_);
  closed_ = true;
  send_.clear();
  if (send_state_ != SendState::data_recvd) {
    send_state_ = send_state_ == SendState::data_sent ? SendState::data_recvd : SendState::reset_recvd;
    pending_.send_done = true;
  }
  // ngtcp2 discards what comes after STOP_SENDING, FIN included, and reports none of it.
  if (recv_state_ == RecvState::recv) recv_state_ = reading_stopped_ ? RecvState::data_read : RecvState::reset_recvd;
  // Also when nothing is pending: the connection looks in turn whether the stream is disposable.
  host_.stream_has_events(*this);
}

void Stream::deliver_events() {
  in_event_queue_ = false;
  const Pending pending = std::exchange(pending_, {});
  // Each of these may release the stream, which clears events_.
  delivering_ = true;
  if (pending.readable && events_ != nullptr) {
    if (recv_state_ == RecvState::reset_recvd) recv_state_ = RecvState::reset_read;
    events_->stream_readable(*this);
  }
  if (pending.writable && events_ != nullptr) events_->stream_writable(*this);
  if (pending.send_done && events_ != nullptr) events_->stream_send_done(*this);
  delivering_ = false;
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// The half of Connection that faces its owner: streams come and go, and events are reported.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "quic/connection.h"
#include "quic/library_guard.h"
#include "quic/limits.h"

namespace qmux::quic {

Stream* Connection::open_stream() {
  if (phase_ != Phase::alive) return nullptr;
  std::int64_t id = -1;
  if (ngtcp2_conn_open_bidi_stream(conn_.get(), &id, nullptr) != 0) {
    credit_wanted_ = true;
    credit_arrived_ = false;
    return nullptr;
  }
  return &add_stream(id);
}

std::uint64_t Connection::stream_credit() const noexcept {
  return phase_ == Phase::alive ? ngtcp2_conn_get_streams_bidi_left(conn_.get()) : 0;
}

Stream& Connection::add_stream(std::int64_t id) {
  auto owned = std::make_unique<Stream>(static_cast<StreamHost&>(*this), host_.chunks(), id);
  Stream& stream = *owned;
  ngtcp2_conn_set_stream_user_data(conn_.get(), id, &stream);
  streams_.emplace(id, std::move(owned));
  return stream;
}

// --- what streams ask -------------------------------------------------------------------------------------------------

void Connection::stream_has_data(Stream& stream) {
  // A stream that waits for credit is queued again by the credit.
  if (phase_ != Phase::alive || stream.is_closed() || stream.is_blocked()) return;
  schedule_.add(stream);
  host_.touch(*this);
}

void Connection::stream_consumed(Stream& stream, std::size_t bytes) {
  if (phase_ != Phase::alive || stream.is_closed()) return;
  ngtcp2_conn_extend_max_stream_offset(conn_.get(), stream.id(), bytes);
  host_.touch(*this);
}

void Connection::stream_reset(Stream& stream, ErrorCode code) {
  schedule_.remove(stream);
  if (phase_ != Phase::alive || stream.is_closed()) return;
  shut_down(stream, ngtcp2_conn_shutdown_stream_write, code);
  // Nothing of it is sent again. ngtcp2 may know the stream for as long as the connection lasts: up to 1.24 it never closes
  // one that it was asked to stop reading while bytes were missing, when the peer had already sent everything.
  stream.drop_unacknowledged();
  host_.touch(*this);
}

void Connection::shut_down(const Stream& stream, int (*half)(ngtcp2_conn*, std::uint32_t, std::int64_t, std::uint64_t),
                           ErrorCode code) {
  const int error = guarded([&] { return half(conn_.get(), 0, stream.id(), static_cast<std::uint64_t>(code)); });
  if (error == kLibraryFailed) fail_with(error, host_.loop().now());
}

void Connection::stream_stop_reading(Stream& stream, ErrorCode code) {
  if (phase_ != Phase::alive || stream.is_closed()) return;
  shut_down(stream, ngtcp2_conn_shutdown_stream_read, code);
  host_.touch(*this);
}

std::size_t Connection::unsent_bytes_max(const Stream& stream) const {
  if (phase_ != Phase::alive) return limits::kStreamUnsentBlockedBytes;
  // More than its credit would only wait here; and many streams at once would each hold a window.
  const std::uint64_t credit = ngtcp2_conn_get_max_stream_data_left(conn_.get(), stream.id());
  const std::size_t share =
      limits::kConnectionUnsentWindows * unsent_bytes_max_ / std::max<std::size_t>(schedule_.size(), 1);
  const std::uint64_t useful = std::min<std::uint64_t>({unsent_bytes_max_, share, credit});
  return std::max(limits::kStreamUnsentBlockedBytes, static_cast<std::size_t>(useful));
}

void Connection::stream_released(Stream& stream) { retire_if_done(stream); }

// --- what is reported -------------------------------------------------------------------------------------------------

void Connection::stream_has_events(Stream& stream) {
  if (stream.enter_event_queue()) event_queue_.push_back(&stream);
  host_.touch(*this);
}

bool Connection::has_events() const noexcept {
  return (silence_.is_silent() != silence_reported_ && !cause_) || !event_queue_.empty() || !opened_.empty() ||
         (handshake_completed_ && !established_reported_) || (credit_wanted_ && credit_arrived_) || filler_.due() ||
         end_is_unreported();
}

bool Connection::deliver_events() {
  // Here, since what the socket held has been read by now.
  const Time now = host_.loop().now();
  if (phase_ == Phase::alive && now >= silence_.look_at()) silence_.look(now, probe_timeout());
  if (phase_ == Phase::alive && port_is_closed(now)) end({.kind = CloseCause::Kind::port_closed}, Phase::gone, kNever);
  if (!has_events()) return false;
  // A failed connection reports nothing of what came before: its streams are gone with it.
  if (!cause_) {
    if (handshake_completed_ && !established_reported_) {
      established_reported_ = true;
      if (events_ != nullptr) events_->established(*this);
    }
    deliver_silence();
    deliver_opened();
    deliver_stream_events();
    if (const auto bytes = filler_.take(); bytes && !cause_ && events_ != nullptr) {
      events_->filler_wanted(*this, *bytes);
    }
    if (credit_wanted_ && credit_arrived_ && !cause_) {
      credit_wanted_ = credit_arrived_ = false;
      if (events_ != nullptr) events_->stream_credit(*this);
    }
  }
  if (cause_ && !closed_reported_) {
    closed_reported_ = true;
    if (ConnectionEvents* events = std::exchange(events_, nullptr)) events->closed(*this, *cause_);
    forget_streams();
  }
  return true;
}

void Connection::deliver_silence() {
  if (silence_.is_silent() == silence_reported_) return;
  silence_reported_ = silence_.is_silent();
  if (events_ == nullptr) return;
  if (silence_reported_) {
    events_->peer_silent(*this);
  } else {
    events_->peer_heard(*this);
  }
}

void Connection::deliver_opened() {
  // An observer may do what makes more streams arrive only in the next pass: the list does not grow meanwhile.
  for (std::size_t i = 0; i < opened_.size() && !cause_; ++i) {
    Stream& stream = *opened_[i];
    if (events_ != nullptr) {
      events_->stream_opened(*this, stream);
    } else {
      stream.release();
    }
  }
  opened_.clear();
}

void Connection::deliver_stream_events() {
  std::swap(event_queue_, delivering_);
  for (Stream*& entry : delivering_) {
    if (entry == nullptr || cause_) continue;
    Stream& stream = *std::exchange(entry, nullptr);
    stream.deliver_events();
    retire_if_done(stream);
  }
  delivering_.clear();
}

void Connection::retire_if_done(Stream& stream) {
  if (!stream.disposable()) return;
  schedule_.remove(stream);
  if (stream.is_in_event_queue()) {
    std::ranges::replace(event_queue_, &stream, nullptr);
    std::ranges::replace(delivering_, &stream, nullptr);
  }
  const std::int64_t id = stream.id();
  streams_.erase(id);
  // The peer's stream has been dealt with to its end: it may open another one.
  if (phase_ == Phase::alive && ngtcp2_conn_is_local_stream(conn_.get(), id) == 0) {
    ngtcp2_conn_extend_max_streams_bidi(conn_.get(), 1);
    host_.touch(*this);
  }
}

void Connection::forget_streams() {
  event_queue_.clear();
  opened_.clear();
  schedule_ = {};
  streams_.clear();
}

}  // namespace qmux::quic

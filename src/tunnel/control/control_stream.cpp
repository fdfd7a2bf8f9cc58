// SPDX-License-Identifier: MIT
#include "tunnel/control/control_stream.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "tunnel/limits.h"

namespace qmux::tunnel {

ControlStream::ControlStream(io::EventLoop& loop, quic::Stream& stream, const HealthOptions& health,
                             ControlEvents& events)
    : loop_(loop),
      stream_(&stream),
      health_(health),
      events_(events),
      allowed_(limits::kControlMessagesPerSecondMax, limits::kControlBurstMessagesMax, loop.now()),
      heartbeat_due_(loop.timers(), [this] { beat(); }),
      silence_(loop.timers(), [this] { check_silence(); }) {
  stream.set_urgent();
  stream.set_events(this);
}

ControlStream::~ControlStream() {
  if (stream_ != nullptr) stream_->release();
}

void ControlStream::send(const wire::Message& message) {
  const auto call = guard_.call();
  if (stream_ == nullptr || stream_->fin_queued()) return;
  std::vector<std::byte> bytes;
  wire::encode(message, bytes);
  stream_->send_copy(bytes);
}

void ControlStream::send_padding(std::size_t bytes) {
  const auto call = guard_.call();
  if (stream_ == nullptr || stream_->fin_queued() || has_backlog()) return;
  std::vector<std::byte> message;
  wire::encode_padding(bytes, message);
  stream_->send_copy(message);
}

bool ControlStream::has_backlog() const noexcept {
  return stream_ != nullptr && stream_->unacknowledged_bytes() >= limits::kControlBacklogBytesMax;
}

void ControlStream::start_heartbeats() {
  const auto call = guard_.call();
  heartbeat_due_.set(loop_.now() + health_.heartbeat_interval);
  last_message_ = loop_.now();
  silence_.set(loop_.now() + health_.timeout);
}

void ControlStream::set_health(const HealthOptions& health) {
  if (health == health_) return;
  health_ = health;
  if (heartbeat_due_.is_set()) start_heartbeats();
}

/// A heartbeat may wait behind data at a peer that does not send it first. That data shows that the peer is alive. Packets that
/// QUIC sends by itself show nothing: a program may hang while its library still acknowledges.
void ControlStream::check_silence() {
  const Time now = loop_.now();
  const Time without_data = std::max(last_message_, events_.last_data()) + health_.timeout;
  const Time without_messages = last_message_ + limits::kHealthTimeoutsWithoutMessage * health_.timeout;
  if (now >= without_data) {
    fail(ControlFailure::Kind::silent, "no heartbeat and no data within the health timeout");
  } else if (now >= without_messages) {
    fail(ControlFailure::Kind::silent, "data arrived, but no heartbeat within four times the health timeout");
  } else {
    silence_.set(std::min(without_data, without_messages));
  }
}

void ControlStream::send_heartbeat() { send(wire::Heartbeat{.timestamp = loop_.unix_seconds()}); }

void ControlStream::beat() {
  send_heartbeat();
  heartbeat_due_.set(loop_.now() + health_.heartbeat_interval);
}

void ControlStream::finish() {
  const auto call = guard_.call();
  ended_ = true;
  heartbeat_due_.cancel();
  silence_.cancel();
  if (stream_ != nullptr) stream_->finish();
}

void ControlStream::connection_lost() noexcept {
  const auto call = guard_.call();
  ended_ = true;
  heartbeat_due_.cancel();
  silence_.cancel();
  stream_ = nullptr;
}

void ControlStream::stream_readable(quic::Stream& /*stream*/) {
  while (read_message()) {
  }
  if (ended_ || stream_ == nullptr) return;
  if (stream_->reset_received() || stream_->at_end()) {
    fail(ControlFailure::Kind::ended, "the peer ended the control stream");
  }
}

void ControlStream::stream_writable(quic::Stream& stream) {
  if (stream.send_stopped()) fail(ControlFailure::Kind::ended, "the peer stopped reading the control stream");
}

void ControlStream::stream_send_done(quic::Stream& stream) {
  guard_.check_no_call();
  if (stream.fin_queued()) events_.control_finished();
}

bool ControlStream::read_message() {
  if (stream_ == nullptr) return false;
  std::array<ConstBytes, 1> view;
  if (stream_->readable(view) == 0) return false;
  if (ended_) {
    stream_->consume(view[0].size());
    return true;
  }
  auto step = reader_.read(view[0]);
  if (!step) {
    fail(ControlFailure::Kind::malformed, step.error().text());
    return false;
  }
  stream_->consume(step->consumed);
  const std::optional<wire::Message>& message = step->message;
  if (!message) return true;
  if (!allowed_.take(loop_.now())) {
    fail(ControlFailure::Kind::flood, "too many control messages");
    return false;
  }
  last_message_ = loop_.now();
  guard_.check_no_call();
  if (std::holds_alternative<wire::UnknownMessage>(*message) || events_.control_message(*message)) return true;
  fail(ControlFailure::Kind::malformed, "a message out of order");
  return false;
}

void ControlStream::fail(ControlFailure::Kind kind, std::string text) {
  if (ended_) return;
  ended_ = true;
  heartbeat_due_.cancel();
  silence_.cancel();
  guard_.check_no_call();
  events_.control_failed({.kind = kind, .text = std::move(text)});
}

}  // namespace qmux::tunnel

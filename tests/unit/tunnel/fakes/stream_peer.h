// SPDX-License-Identifier: MIT
//
// A real quic::Stream whose connection and peer are the test.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/chunk.h"
#include "quic/stream.h"

namespace qmux::quic {

/// Does to a stream what its connection does.
struct StreamTestAccess {
  static bool has_events(const Stream& stream) { return stream.pending_.any(); }
  static void deliver_events(Stream& stream) {
    const auto pending = std::exchange(stream.pending_, {});
    if (pending.readable && stream.events_ != nullptr) stream.events_->stream_readable(stream);
    if (pending.writable && stream.events_ != nullptr) stream.events_->stream_writable(stream);
    if (pending.send_done && stream.events_ != nullptr) stream.events_->stream_send_done(stream);
  }
  static void receive(Stream& stream, ConstBytes bytes, bool fin) {
    if (stream.reading_stopped_) return;
    stream.received_.append(bytes);
    stream.fin_received_ = fin;
    stream.pending_.readable = true;
  }
  static void receive_reset(Stream& stream, std::uint64_t code) {
    stream.reset_received_ = code;
    stream.pending_.readable = true;
  }
  static void receive_stop(Stream& stream) {
    stream.send_stopped_ = true;
    stream.pending_.writable = true;
  }
  static std::string send(Stream& stream, std::size_t bytes_max) {
    std::string sent;
    std::array<ConstBytes, 8> pieces;
    while (sent.size() < bytes_max) {
      const std::size_t count = stream.send_.unsent(pieces);
      if (count == 0) break;
      const ConstBytes piece = pieces[0].first(std::min(pieces[0].size(), bytes_max - sent.size()));
      sent.append(as_text(piece));
      stream.send_.mark_sent(piece.size());
    }
    if (stream.finish_wanted_ && stream.send_.unsent_bytes() == 0) stream.finish_sent_ = true;
    return sent;
  }
  static bool fin_sent(const Stream& stream) { return stream.finish_sent_; }
  static void acknowledge(Stream& stream, std::size_t bytes) {
    stream.send_.acknowledge(bytes);
    if (stream.send_.size() > 0) return;
    const bool finished = stream.finish_sent_ && !stream.send_done_;
    if (!finished && !stream.acknowledged_wanted_) return;
    if (finished) stream.send_done_ = true;
    stream.acknowledged_wanted_ = false;
    stream.pending_.send_done = true;
  }
  static void tell_room(Stream& stream, std::size_t limit) {
    if (!stream.writable_wanted_ || stream.send_.unsent_bytes() >= limit) return;
    stream.writable_wanted_ = false;
    stream.pending_.writable = true;
  }
  static bool released(const Stream& stream) { return stream.released_; }
};

}  // namespace qmux::quic

namespace qmux::testing {

class StreamPeer final : private quic::StreamHost {
 public:
  explicit StreamPeer(ChunkPool& pool) : stream_(*this, pool, 0) {}

  [[nodiscard]] quic::Stream& stream() { return stream_; }

  // --- what the peer does ---

  void sends(std::string_view bytes) { Access::receive(stream_, as_bytes(bytes), false); }
  void finishes(std::string_view bytes = {}) { Access::receive(stream_, as_bytes(bytes), true); }
  void resets(quic::ErrorCode code) { Access::receive_reset(stream_, static_cast<std::uint64_t>(code)); }
  void stops() { Access::receive_stop(stream_); }
  /// Takes and acknowledges what waits to be sent, up to `bytes_max`.
  void takes(std::size_t bytes_max = std::numeric_limits<std::size_t>::max()) {
    const std::string sent = Access::send(stream_, bytes_max);
    received += sent;
    Access::acknowledge(stream_, sent.size());
    fin_received = Access::fin_sent(stream_);
    Access::tell_room(stream_, unsent_max);
  }

  /// Tells the stream's owner what has happened; false when nothing has.
  bool tell() {
    if (!Access::has_events(stream_)) return false;
    Access::deliver_events(stream_);
    return true;
  }

  // --- what it saw ---

  std::string received;
  bool fin_received = false;
  std::optional<quic::ErrorCode> reset;
  std::optional<quic::ErrorCode> stopped;
  std::size_t credit_bytes = 0;  ///< given back
  [[nodiscard]] bool released() const { return Access::released(stream_); }

  std::size_t unsent_max = std::size_t{128} * 1024;

 private:
  using Access = quic::StreamTestAccess;

  void stream_has_data(quic::Stream& /*stream*/) override {}
  void stream_consumed(quic::Stream& /*stream*/, std::size_t bytes) override { credit_bytes += bytes; }
  void stream_reset(quic::Stream& /*stream*/, quic::ErrorCode code) override { reset = code; }
  void stream_stop_reading(quic::Stream& /*stream*/, quic::ErrorCode code) override { stopped = code; }
  void stream_has_events(quic::Stream& /*stream*/) override {}
  void stream_released(quic::Stream& /*stream*/) override {}
  [[nodiscard]] std::size_t unsent_bytes_max(const quic::Stream& /*stream*/) const override { return unsent_max; }

  quic::Stream stream_;
};

}  // namespace qmux::testing

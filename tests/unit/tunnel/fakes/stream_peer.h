// SPDX-License-Identifier: MIT
//
// A real quic::Stream whose connection and peer are the test.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/chunk.h"
#include "quic/stream.h"

namespace qmux::testing {

class StreamPeer final : private quic::StreamHost {
 public:
  explicit StreamPeer(ChunkPool& pool) : stream_(*this, pool, 0) {}

  [[nodiscard]] quic::Stream& stream() { return stream_; }

  // --- what the peer does ---

  void sends(std::string_view bytes) { stream_.receive(as_bytes(bytes), false); }
  void finishes(std::string_view bytes = {}) { stream_.receive(as_bytes(bytes), true); }
  void resets(quic::ErrorCode code) { stream_.reset_by_peer(static_cast<std::uint64_t>(code)); }
  void stops() { stream_.stopped_by_peer(); }
  /// Takes and acknowledges what waits to be sent, up to `bytes_max`.
  void takes(std::size_t bytes_max = std::numeric_limits<std::size_t>::max()) {
    if (stream_.send_stopped()) return;
    const std::size_t before = received.size();
    std::array<ConstBytes, 8> pieces;
    while (stream_.has_unsent()) {
      const ConstBytes first = stream_.unsent(pieces) > 0 ? pieces[0] : ConstBytes();
      const ConstBytes piece = first.first(std::min(first.size(), bytes_max - (received.size() - before)));
      const bool fin = stream_.fin_queued() && piece.size() == stream_.unsent_bytes();
      if (piece.empty() && !fin) break;
      received.append(as_text(piece));
      fin_received = fin;
      stream_.sent(piece.size(), fin);
    }
    stream_.notify_room();
    stream_.acknowledged(received.size() - before);
  }

  /// Notifies the stream's owner of what has happened; false when nothing has.
  bool deliver_events() {
    if (!stream_.is_in_event_queue()) return false;
    stream_.deliver_events();
    return true;
  }

  // --- what it saw ---

  std::string received;
  bool fin_received = false;
  std::optional<quic::ErrorCode> reset;
  std::optional<quic::ErrorCode> stopped;
  std::size_t credit_bytes = 0;  ///< given back
  [[nodiscard]] bool released() const { return released_; }

  std::size_t unsent_max = std::size_t{128} * 1024;

 private:
  void stream_has_data(quic::Stream& /*stream*/) override {}
  void stream_consumed(quic::Stream& /*stream*/, std::size_t bytes) override { credit_bytes += bytes; }
  void stream_reset(quic::Stream& /*stream*/, quic::ErrorCode code) override { reset = code; }
  void stream_stop_reading(quic::Stream& /*stream*/, quic::ErrorCode code) override { stopped = code; }
  void stream_has_events(quic::Stream& stream) override { (void)stream.enter_event_queue(); }
  void stream_released(quic::Stream& /*stream*/) override { released_ = true; }
  [[nodiscard]] std::size_t unsent_bytes_max(const quic::Stream& /*stream*/) const override { return unsent_max; }

  quic::Stream stream_;
  bool released_ = false;
};

}  // namespace qmux::testing

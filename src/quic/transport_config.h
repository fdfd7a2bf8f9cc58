// SPDX-License-Identifier: MIT
//
// What the configuration decides about a QUIC connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace qmux::quic {

enum class CongestionControl : std::uint8_t { bbr, cubic };

/// The keys of a listener or of `quic:` in a client's file, with their defaults.
struct TransportConfig {
  std::uint64_t initial_stream_window_bytes = 512 * 1024;   ///< per stream, what the peer may send at first
  std::uint64_t stream_window_bytes_max = 6 * 1024 * 1024;  ///< what that may grow to while the stream drains
  std::uint64_t initial_connection_window_bytes = 1024 * 1024;
  std::uint64_t connection_window_bytes_max = 15 * 1024 * 1024;
  std::uint64_t incoming_streams_max = 100;  ///< bidirectional streams the peer may have open
  Duration keep_alive_period{0};             ///< PING when idle this long; 0: never
  Duration handshake_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::minutes(5);
  bool allow_0rtt = false;  ///< no effect yet
  CongestionControl congestion_control = CongestionControl::bbr;
  std::size_t udp_payload_bytes_max = 65507;  ///< largest packet that path MTU discovery tries
};

}  // namespace qmux::quic

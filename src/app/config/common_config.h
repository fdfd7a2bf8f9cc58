// SPDX-License-Identifier: MIT
//
// The parts of a configuration that a server and a client share. Plain values; the defaults stand here and nowhere else.
// docs/CONFIGURATION.md says what each key means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/secret.h"
#include "base/time.h"

namespace qmux::app {

enum class CongestionControl { bbr, cubic };

struct QuicConfig {
  // Flow control (RFC 9000 section 4): a window starts at `initial` and grows up to `max`; initial <= max.
  std::uint64_t initial_stream_window_bytes = 524'288;
  std::uint64_t max_stream_window_bytes = 6'291'456;
  std::uint64_t initial_connection_window_bytes = 1'048'576;
  std::uint64_t max_connection_window_bytes = 15'728'640;
  std::uint64_t max_incoming_streams = 100;  ///< bidirectional streams that the peer may have open
  Duration keep_alive_period{0};             ///< 0: none
  Duration handshake_idle_timeout = std::chrono::seconds(5);
  Duration max_idle_timeout = std::chrono::minutes(5);
  bool allow_0rtt = false;
  CongestionControl congestion_control = CongestionControl::bbr;
  std::uint16_t max_udp_payload_size_bytes = 65'507;  ///< largest packet sent where the path takes it
};

struct UdpConfig {
  bool enable_fragmentation = true;
  std::uint32_t fragment_assembler_shards = 16;  ///< of the existing programs; no meaning here
  bool enable_buffer_pooling = true;             ///< of the existing programs; no meaning here
  std::uint32_t read_buffer_size_bytes = 65'535;
  std::optional<std::uint32_t> datagram_buffer_size_bytes;  ///< unset: what the path takes now
  Duration session_idle_timeout = std::chrono::minutes(5);
};

enum class AuthMethod { mtls, token };

struct HealthConfig {
  Duration heartbeat_interval = std::chrono::seconds(10);
  Duration health_timeout = std::chrono::seconds(30);  ///< longer than heartbeat_interval
};

/// A TCP peer that has been silent for so long is asked whether it is there, as often again without an answer; 0: never.
inline constexpr Duration kTcpKeepAliveDefault = std::chrono::seconds(15);

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// Why a QUIC connection ended.
#pragma once

#include <cstdint>
#include <string>

namespace qmux::quic {

/// Application error codes (docs/PROTOCOL.md) for CONNECTION_CLOSE, RESET_STREAM and STOP_SENDING.
enum class ErrorCode : std::uint64_t {
  shutdown = 0,
  refused = 1,
  dial_failed = 0x10,
  tcp_reset = 0x11,
  going_away = 0x12,
  limit_reached = 0x13,
  internal = 0x14,
};

struct CloseCause {
  enum class Kind : std::uint8_t {
    local,              ///< we closed it: close()
    peer_application,   ///< CONNECTION_CLOSE from the peer's application (frame 0x1d)
    peer_transport,     ///< CONNECTION_CLOSE from the peer's QUIC or TLS (frame 0x1c)
    protocol_error,     ///< the peer broke QUIC or TLS, or its certificate did not convince us
    idle_timeout,       ///< nothing heard for max_idle_timeout
    handshake_timeout,  ///< no handshake within handshake_idle_timeout
    stateless_reset,    ///< the peer has lost the connection (RFC 9000 section 10.3)
    version,            ///< no common QUIC version
  };
  Kind kind = Kind::local;
  std::uint64_t code = 0;  ///< application code, transport code, or 0
  std::string text;        ///< for people, one line

  /// The connection was closed in order by either application: nothing went wrong.
  [[nodiscard]] bool orderly() const noexcept {
    return (kind == Kind::local || kind == Kind::peer_application) && code == 0;
  }
};

}  // namespace qmux::quic

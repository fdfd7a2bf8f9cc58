// SPDX-License-Identifier: MIT
//
// Why a QUIC connection ended.
#pragma once

#include <cstdint>
#include <string>

#include "base/io/datagram_socket.h"
#include "quic/certificate_fault.h"

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
    local,                 ///< we closed it: close()
    peer_application,      ///< CONNECTION_CLOSE from the peer's application (frame 0x1d)
    peer_transport,        ///< CONNECTION_CLOSE from the peer's QUIC or TLS (frame 0x1c), for none of the reasons below
    protocol_error,        ///< the peer broke QUIC or TLS
    certificate,           ///< the peer's certificate is missing, or is not accepted: see `fault`
    own_certificate,       ///< the peer reports the same of ours: see `fault`
    application_protocol,  ///< ALPN: the peer speaks something else (RFC 7301)
    version,               ///< no common QUIC version
    unreachable,           ///< nothing came, and the network reports that our packets do not arrive: see `unreachable`
    port_closed,           ///< nothing comes any more, and the network reports that the peer's port is closed
    no_answer,             ///< nothing came within the handshake timeout
    handshake_timeout,     ///< something came, but the handshake took longer than its timeout
    idle_timeout,          ///< nothing received for max_idle_timeout
    stateless_reset,       ///< the peer has lost the connection (RFC 9000 section 10.3)
  };
  Kind kind = Kind::local;
  std::uint64_t code = 0;  ///< application code, transport code, or 0
  /// One line of text: what the rest does not say. For a timeout its length, for a peer's close the peer's reason.
  std::string text{};
  CertificateFault fault = CertificateFault::none;
  io::Unreachable unreachable = io::Unreachable::none;

  /// The connection was closed in order by either application: nothing went wrong.
  [[nodiscard]] bool orderly() const noexcept {
    return (kind == Kind::local || kind == Kind::peer_application) && code == 0;
  }
};

}  // namespace qmux::quic

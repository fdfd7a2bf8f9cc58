// SPDX-License-Identifier: MIT
//
// TLS messages that come when the handshake is over (RFC 8446 section 4.6). A server may send NewSessionTicket, which is of no
// use here and is dropped unread; everything else is an error, above all KeyUpdate (RFC 9001 section 6), which GnuTLS would
// take and ngtcp2 not survive. So the TLS library reads nothing of a peer's after the handshake.
//
// One of the client's for each connection; pure.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace qmux::quic {

class PostHandshakeMessages {
 public:
  /// Takes what comes next on the CRYPTO stream of 1-RTT packets from a server, in whatever pieces. False: there is a message
  /// that it must not send; nothing is to be taken after that.
  [[nodiscard]] bool accept_from_server(ConstBytes data) noexcept;

 private:
  std::uint32_t header_ = 0;        ///< type and length, as far as they have come
  std::uint32_t header_bytes_ = 0;  ///< how far that is
  std::uint32_t body_bytes_ = 0;    ///< of the message that is being dropped, still to come
};

}  // namespace qmux::quic

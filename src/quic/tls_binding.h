// SPDX-License-Identifier: MIT
//
// Binds GnuTLS to ngtcp2 for one connection: keys, handshake messages, alerts and transport parameters (RFC 9001). ngtcp2 has a
// binding of its own, which does not bear a HelloRetryRequest: the second ClientHello brings the transport parameters again,
// and ngtcp2 asserts that they come once.
#pragma once

#include <gnutls/gnutls.h>

namespace qmux::quic {

/// The session's pointer is, or will be, an ngtcp2_crypto_conn_ref. False: GnuTLS refused.
[[nodiscard]] bool bind_tls(gnutls_session_t session);

}  // namespace qmux::quic

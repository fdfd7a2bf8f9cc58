// SPDX-License-Identifier: MIT
//
// The stateless reset token of a connection ID that we issue (RFC 9000 section 10.3): it follows from a secret that outlives
// the process, so that a successor can end the connections which a crash has lost.
//
// And from the address that the peer sends to. A token ends the connection that it belongs to, and any host that has seen an ID
// can get the token of that ID from an endpoint that does not know the connection. An endpoint with the same secret at another
// address, another listener or another server with the same files, must therefore not know the token.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/bytes.h"

namespace qmux::quic {

using ResetToken = std::span<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN>;

/// `local`: where packets with this ID come in, with the port.
void make_reset_token(ResetToken token, ConstBytes secret, const Address& local, const ngtcp2_cid& id);

}  // namespace qmux::quic

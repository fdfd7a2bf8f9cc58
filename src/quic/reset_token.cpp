// SPDX-License-Identifier: MIT
#include "quic/reset_token.h"

#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"

namespace qmux::quic {

void make_reset_token(ResetToken token, ConstBytes secret, const Address& local, const ngtcp2_cid& id) {
  // As text, an IPv4 address is the same whether its socket is of IPv6 or not. The ID comes last: nothing before it holds a 0.
  std::string input = "qmux stateless reset " + local.text() + '\0';
  input.append(reinterpret_cast<const char*>(id.data), id.datalen);
  std::array<std::uint8_t, 32> digest;
  CHECK(gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.data(), secret.size(), input.data(), input.size(), digest.data()) ==
        0);
  std::copy_n(digest.begin(), token.size(), token.begin());
}

}  // namespace qmux::quic

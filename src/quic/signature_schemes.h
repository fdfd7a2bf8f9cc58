// SPDX-License-Identifier: MIT
//
// The signature schemes of TLS 1.3 (RFC 8446 section 4.2.3), and the kinds of keys that sign with them.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <span>
#include <string>
#include <vector>

namespace qmux::quic {

/// As a user knows it: "RSA", "RSA-PSS", "ECDSA P-256", "Ed25519"; for a key without a scheme GnuTLS's name of it.
[[nodiscard]] std::string key_kind(gnutls_pubkey_t key);
/// Whether any scheme goes with the key's kind.
[[nodiscard]] bool has_scheme(gnutls_pubkey_t key);

/// What a pair of keys can sign in a TLS 1.3 handshake.
struct SigningTrial {
  std::vector<gnutls_sign_algorithm_t> schemes;  ///< with which signatures were made and verified
  bool mismatch = false;                         ///< a signature was made, and `public_key` did not verify it
};
/// Tries every scheme that goes with the key's kind.
[[nodiscard]] SigningTrial try_schemes(gnutls_pubkey_t public_key, gnutls_privkey_t private_key);

/// Kinds of keys, each once, that sign with one of these: "RSA, ECDSA P-256".
[[nodiscard]] std::string kinds_of_keys(std::span<const gnutls_sign_algorithm_t> schemes);

}  // namespace qmux::quic

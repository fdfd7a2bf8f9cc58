// SPDX-License-Identifier: MIT
//
// A P-256 private key as PKCS #8 text. GnuTLS 3.7 writes the private value as a signed integer: with 33 bytes when its first bit
// is set, and with fewer than 32 when it begins with zeros. RFC 5915 section 3 requires 32 always, and strict readers (Python's
// cryptography) refuse anything else.
#pragma once

#include <gnutls/x509.h>

#include <string>

namespace qmux::app {

/// The key must be one on P-256.
[[nodiscard]] std::string p256_private_key_pem(gnutls_x509_privkey_t key);

}  // namespace qmux::app

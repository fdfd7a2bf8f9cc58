// SPDX-License-Identifier: MIT
//
// X.509 certificates (RFC 5280) for mutual TLS: an authority, servers and clients. Time is passed in. Keys and serial numbers
// come from the system's randomness. This code uses no files.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "app/certs/gnutls_handle.h"
#include "base/result.h"

namespace qmux::app {

enum class KeyType {
  ecdsa,  ///< P-256
  rsa,    ///< 4096 bits for an authority, 2048 for others
};

struct Validity {
  std::time_t not_before = 0;
  std::time_t not_after = 0;
};

/// From an hour before `now`, for clocks that are behind, to the same date `years` on.
[[nodiscard]] Validity validity_from(std::time_t now, unsigned years);

/// A certificate with its private key.
struct Identity {
  X509Certificate certificate;
  X509PrivateKey key;
};

/// DNS names and IP addresses that a server's certificate is valid for, in order and without repetition.
struct ServerNames {
  std::vector<std::string> dns;  ///< lower case
  std::vector<std::string> ip;   ///< 4 or 16 bytes each
};

/// What users give, sorted into names and addresses, followed by what every server of ours is known as: "qmux-server",
/// 127.0.0.1 and ::1. Fails on a text that is neither a DNS name ("*." in front is allowed) nor an IP address.
[[nodiscard]] Result<ServerNames> server_names(const std::vector<std::string>& given);

[[nodiscard]] Result<Identity> make_authority(KeyType type, const Validity& validity);
[[nodiscard]] Result<Identity> issue_server(const Identity& authority, KeyType type, const Validity& validity,
                                            const ServerNames& names);
/// `common_name`: 1 to 64 bytes.
[[nodiscard]] Result<Identity> issue_client(const Identity& authority, KeyType type, const Validity& validity,
                                            std::string_view common_name);

/// An authority from its PEM files' contents. Fails when they do not match, when the certificate is not an authority's, or when
/// `now` is outside its validity. `certificate_file` and `key_file` are named in errors.
[[nodiscard]] Result<Identity> import_authority(std::string_view certificate_pem, std::string_view key_pem,
                                                std::time_t now, const std::string& certificate_file,
                                                const std::string& key_file);

[[nodiscard]] std::string certificate_pem(const Identity& identity);
/// PKCS #8, not encrypted.
[[nodiscard]] std::string private_key_pem(const Identity& identity);

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// Whether a certificate is that of the server asked for (RFC 9525 section 6): by its subjectAltName alone, since a common
// name is free text.
#pragma once

#include <gnutls/gnutls.h>

#include <cstdint>
#include <string>
#include <vector>

namespace qmux::quic {

enum class NameMatch : std::uint8_t {
  matches,
  differs,   ///< it names hosts, and not this one
  nameless,  ///< it names no host in its subjectAltName
};

/// `der` is an X.509 certificate; what cannot be read is nameless. `server_name` is a DNS name or an IP literal: a name is
/// looked for among the DNS names ("*" stands for one whole first label), a literal among the IP addresses.
[[nodiscard]] NameMatch match_server_name(const gnutls_datum_t& der, const std::string& server_name);

/// The hosts that a certificate names: DNS names as they stand in it, and IP addresses.
[[nodiscard]] std::vector<std::string> host_names(const gnutls_datum_t& der);

}  // namespace qmux::quic

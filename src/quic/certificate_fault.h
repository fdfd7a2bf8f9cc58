// SPDX-License-Identifier: MIT
//
// What is wrong with a certificate: from GnuTLS's verdict, and from and to TLS alerts (RFC 8446 section 6.2).
#pragma once

#include <cstdint>

#include "quic/server_name.h"

namespace qmux::quic {

enum class CertificateFault : std::uint8_t {
  none,
  missing,         ///< there was none
  unknown_issuer,  ///< not of an authority that is trusted
  expired,
  not_yet_valid,
  outdated,  ///< one of these two: all that an alert says
  wrong_purpose,
  wrong_name,
  nameless,  ///< it names no host in its subjectAltName
  revoked,
  wrong_key_kind,  ///< the peer takes no certificate with a key of this kind: of ours alone
  other,
};

/// `status`: bits of gnutls_certificate_status_t. The fault that is to be corrected first.
[[nodiscard]] CertificateFault fault_of_status(unsigned status, NameMatch name) noexcept;
/// A peer's alert about our certificate; `none`: it is about something else.
[[nodiscard]] CertificateFault fault_of_alert(std::uint8_t alert) noexcept;
/// The alert that names the fault; `otherwise` where no alert says more.
[[nodiscard]] std::uint8_t alert_of_fault(CertificateFault fault, std::uint8_t otherwise) noexcept;

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/certificate_fault.h"

#include <gnutls/gnutls.h>

namespace qmux::quic {

CertificateFault fault_of_status(unsigned status, NameMatch name) noexcept {
  if (status == 0) return CertificateFault::none;
  const auto has = [status](unsigned bits) { return (status & bits) != 0; };
  if (has(GNUTLS_CERT_REVOKED)) return CertificateFault::revoked;
  if (has(GNUTLS_CERT_SIGNER_NOT_FOUND)) return CertificateFault::unknown_issuer;
  if (has(GNUTLS_CERT_NOT_ACTIVATED)) return CertificateFault::not_yet_valid;
  if (has(GNUTLS_CERT_EXPIRED)) return CertificateFault::expired;
  if (has(GNUTLS_CERT_PURPOSE_MISMATCH)) return CertificateFault::wrong_purpose;
  if (has(~static_cast<unsigned>(GNUTLS_CERT_UNEXPECTED_OWNER | GNUTLS_CERT_INVALID))) return CertificateFault::other;
  if (name == NameMatch::nameless) return CertificateFault::nameless;
  if (name == NameMatch::differs) return CertificateFault::wrong_name;
  return CertificateFault::other;
}

CertificateFault fault_of_alert(std::uint8_t alert) noexcept {
  switch (alert) {
    case GNUTLS_A_CERTIFICATE_REQUIRED:
      return CertificateFault::missing;
    case GNUTLS_A_UNKNOWN_CA:
      return CertificateFault::unknown_issuer;
    case GNUTLS_A_CERTIFICATE_EXPIRED:
      return CertificateFault::outdated;
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
      return CertificateFault::wrong_purpose;
    case GNUTLS_A_CERTIFICATE_REVOKED:
      return CertificateFault::revoked;
    case GNUTLS_A_BAD_CERTIFICATE:
    case GNUTLS_A_CERTIFICATE_UNKNOWN:
    case GNUTLS_A_ACCESS_DENIED:
      return CertificateFault::other;
    default:
      return CertificateFault::none;
  }
}

std::uint8_t alert_of_fault(CertificateFault fault, std::uint8_t otherwise) noexcept {
  switch (fault) {
    case CertificateFault::unknown_issuer:
      return GNUTLS_A_UNKNOWN_CA;
    case CertificateFault::expired:
    case CertificateFault::not_yet_valid:  // "has expired or is not currently valid"
    case CertificateFault::outdated:
      return GNUTLS_A_CERTIFICATE_EXPIRED;
    case CertificateFault::wrong_purpose:
      return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
    case CertificateFault::revoked:
      return GNUTLS_A_CERTIFICATE_REVOKED;
    default:
      return otherwise;
  }
}

}  // namespace qmux::quic

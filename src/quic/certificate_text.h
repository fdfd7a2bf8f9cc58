// SPDX-License-Identifier: MIT
//
// Why a peer's certificate was not accepted, as text: printable and bounded, since the certificate's author chooses most of it.
#pragma once

#include <gnutls/gnutls.h>

#include <cstdint>
#include <span>
#include <string>

#include "quic/certificate_fault.h"

namespace qmux::quic {

/// A certificate as it was judged.
struct JudgedCertificate {
  std::span<const gnutls_datum_t> chain;  ///< DER, the peer's own first
  CertificateFault fault = CertificateFault::none;
  unsigned status = 0;            ///< bits of gnutls_certificate_status_t
  bool of_server = false;         ///< otherwise of a client
  std::string server_name;        ///< the name that was asked for
  std::int64_t unix_seconds = 0;  ///< now
};

/// What follows "the server's certificate ": "expired on 2026-01-01T00:00:00Z".
[[nodiscard]] std::string fault_text(const JudgedCertificate& certificate);

}  // namespace qmux::quic

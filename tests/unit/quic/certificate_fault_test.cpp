// SPDX-License-Identifier: MIT
#include "quic/certificate_fault.h"

#include <gnutls/gnutls.h>
#include <gtest/gtest.h>

namespace qmux::quic {
namespace {

constexpr unsigned kInvalid = GNUTLS_CERT_INVALID;

TEST(CertificateFault, of_several_faults_is_the_one_to_be_mended_first) {
  EXPECT_EQ(fault_of_status(0, NameMatch::matches), CertificateFault::none);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_NOT_ACTIVATED, NameMatch::matches), CertificateFault::not_yet_valid);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_EXPIRED, NameMatch::matches), CertificateFault::expired);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_PURPOSE_MISMATCH, NameMatch::matches),
            CertificateFault::wrong_purpose);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_EXPIRED, NameMatch::differs),
            CertificateFault::unknown_issuer);
  EXPECT_EQ(
      fault_of_status(kInvalid | GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_UNEXPECTED_OWNER, NameMatch::differs),
      CertificateFault::other);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_UNEXPECTED_OWNER, NameMatch::differs), CertificateFault::wrong_name);
  EXPECT_EQ(fault_of_status(kInvalid | GNUTLS_CERT_UNEXPECTED_OWNER, NameMatch::nameless), CertificateFault::nameless);
}

TEST(CertificateFault, a_peers_alert_is_understood_as_it_was_meant) {
  for (const CertificateFault fault :
       {CertificateFault::unknown_issuer, CertificateFault::wrong_purpose, CertificateFault::revoked}) {
    EXPECT_EQ(fault_of_alert(alert_of_fault(fault, 0)), fault);
  }
  for (const CertificateFault fault : {CertificateFault::expired, CertificateFault::not_yet_valid}) {
    EXPECT_EQ(alert_of_fault(fault, 0), GNUTLS_A_CERTIFICATE_EXPIRED) << "RFC 8446 has one for both";
    EXPECT_EQ(fault_of_alert(alert_of_fault(fault, 0)), CertificateFault::outdated);
  }
  EXPECT_EQ(alert_of_fault(CertificateFault::wrong_name, GNUTLS_A_BAD_CERTIFICATE), GNUTLS_A_BAD_CERTIFICATE);
  EXPECT_EQ(fault_of_alert(GNUTLS_A_BAD_CERTIFICATE), CertificateFault::other);
  EXPECT_EQ(fault_of_alert(GNUTLS_A_CERTIFICATE_REQUIRED), CertificateFault::missing);
}

TEST(CertificateFault, other_alerts_are_about_no_certificate) {
  for (const unsigned alert :
       {40U /* handshake_failure */, 80U /* internal_error */, 120U /* no_application_protocol */, 255U}) {
    EXPECT_EQ(fault_of_alert(static_cast<std::uint8_t>(alert)), CertificateFault::none) << alert;
  }
}

}  // namespace
}  // namespace qmux::quic

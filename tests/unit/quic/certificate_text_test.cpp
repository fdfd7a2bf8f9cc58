// SPDX-License-Identifier: MIT
#include "quic/certificate_text.h"

#include <gnutls/x509.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace qmux::quic {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 20'000 * kDay;  // 2024-10-04

/// Signed by itself.
class Certificate {
 public:
  Certificate(const std::string& common_name, std::int64_t not_before, std::int64_t not_after,
              const std::vector<std::string>& dns_names = {}) {
    gnutls_x509_privkey_t key = nullptr;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_t certificate = nullptr;
    gnutls_x509_crt_init(&certificate);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, "\1", 1);
    gnutls_x509_crt_set_activation_time(certificate, not_before);
    gnutls_x509_crt_set_expiration_time(certificate, not_after);
    gnutls_x509_crt_set_key(certificate, key);
    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, common_name.data(),
                                  static_cast<unsigned>(common_name.size()));
    for (const std::string& name : dns_names) {
      gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name.data(),
                                           static_cast<unsigned>(name.size()), GNUTLS_FSAN_APPEND);
    }
    if (!dns_names.empty()) {
      gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, "\x0a\0\0\1", 4, GNUTLS_FSAN_APPEND);
    }
    EXPECT_EQ(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    EXPECT_EQ(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der), 0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() { gnutls_free(der.data); }

  gnutls_datum_t der{};
};

std::string text(CertificateFault fault, std::span<const gnutls_datum_t> chain, const std::string& name = "asked.test",
                 unsigned status = 0) {
  return fault_text(
      {.chain = chain, .fault = fault, .status = status, .of_server = true, .server_name = name, .unix_seconds = kNow});
}
std::string text(CertificateFault fault, const Certificate& certificate, const std::string& name = "asked.test") {
  return text(fault, std::span(&certificate.der, 1), name);
}

TEST(CertificateText, names_the_date_that_matters) {
  const Certificate old("leaf", kNow - 9 * kDay, kNow - 1);
  const Certificate young("leaf", kNow + kDay, kNow + 9 * kDay);
  EXPECT_EQ(text(CertificateFault::expired, old), "expired on 2024-10-03T23:59:59Z");
  EXPECT_EQ(text(CertificateFault::not_yet_valid, young), "is not valid before 2024-10-05T00:00:00Z");
}

TEST(CertificateText, says_whose_date_it_is) {
  const Certificate good("leaf", kNow - kDay, kNow + kDay);
  const Certificate old("between", kNow - 9 * kDay, kNow - kDay);
  const std::array chain{good.der, old.der};
  EXPECT_EQ(text(CertificateFault::expired, chain),
            "has an issuer (\"CN=between\") whose certificate expired on 2024-10-03T00:00:00Z");
  EXPECT_EQ(text(CertificateFault::expired, good), "has an issuer whose certificate has expired");
  EXPECT_EQ(text(CertificateFault::not_yet_valid, good), "has an issuer whose certificate is not valid yet");
}

TEST(CertificateText, names_the_issuer_that_is_not_known) {
  const Certificate leaf("Some CA", 0, kNow);
  EXPECT_EQ(text(CertificateFault::unknown_issuer, leaf), "is of an unknown authority (issuer \"CN=Some CA\")");
  EXPECT_EQ(text(CertificateFault::unknown_issuer, {}), "is of an unknown authority");
}

TEST(CertificateText, lists_the_names_that_the_certificate_has) {
  const Certificate few("leaf", 0, kNow, {"a.test", "b.test"});
  EXPECT_EQ(text(CertificateFault::wrong_name, few),
            "does not name \"asked.test\" in its subjectAltName, but a.test, b.test, 10.0.0.1");
  const Certificate many("leaf", 0, kNow, std::vector<std::string>(50, "a.test"));
  EXPECT_EQ(
      text(CertificateFault::wrong_name, many),
      "does not name \"asked.test\" in its subjectAltName, but a.test, a.test, a.test, a.test, a.test and 46 more");
}

TEST(CertificateText, is_bounded_and_printable_whatever_the_certificate_holds) {
  const Certificate wild("\x1b[2J", 0, kNow, std::vector<std::string>(9, std::string(200, 'x') + "\n"));
  for (const CertificateFault fault : {CertificateFault::wrong_name, CertificateFault::unknown_issuer,
                                       CertificateFault::expired, CertificateFault::other}) {
    const std::string said = text(fault, wild, std::string(5000, 'y'));
    EXPECT_LT(said.size(), 700U);
    for (const char c : said) EXPECT_TRUE(c >= ' ' && c <= '~') << said;
  }
}

TEST(CertificateText, leaves_the_rest_to_gnutls) {
  const unsigned status = GNUTLS_CERT_INVALID | GNUTLS_CERT_INSECURE_ALGORITHM;
  EXPECT_EQ(text(CertificateFault::other, {}, "x", status),
            "is not accepted: The certificate is NOT trusted. The certificate chain uses insecure algorithm");
}

}  // namespace
}  // namespace qmux::quic

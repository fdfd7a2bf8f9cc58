// SPDX-License-Identifier: MIT
#include "quic/server_name.h"

#include <gnutls/x509.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace qmux::quic {
namespace {

struct AlternativeName {
  gnutls_x509_subject_alt_name_t type;
  std::string value;
};

AlternativeName dns(const std::string& name) { return {GNUTLS_SAN_DNSNAME, name}; }
AlternativeName ip(std::initializer_list<char> bytes) { return {GNUTLS_SAN_IPADDRESS, bytes}; }

/// A server's certificate with these names, signed by itself.
class Certificate {
 public:
  Certificate(const std::string& common_name, std::initializer_list<AlternativeName> names) {
    gnutls_x509_privkey_t key = nullptr;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_t certificate = nullptr;
    gnutls_x509_crt_init(&certificate);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, "\1", 1);
    gnutls_x509_crt_set_activation_time(certificate, 1);
    gnutls_x509_crt_set_expiration_time(certificate, 2);
    gnutls_x509_crt_set_key(certificate, key);
    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, common_name.data(),
                                  static_cast<unsigned>(common_name.size()));
    gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    for (const auto& [type, value] : names) {
      EXPECT_EQ(gnutls_x509_crt_set_subject_alt_name(certificate, type, value.data(),
                                                     static_cast<unsigned>(value.size()), GNUTLS_FSAN_APPEND),
                0);
    }
    EXPECT_EQ(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    EXPECT_EQ(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der_), 0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() { gnutls_free(der_.data); }

  [[nodiscard]] NameMatch is(const std::string& server_name) const { return match_server_name(der_, server_name); }

 private:
  gnutls_datum_t der_{};
};

TEST(ServerName, is_found_among_the_alternative_names) {
  const Certificate certificate("someone", {dns("a.test"), dns("*.wild.test"), ip({10, 0, 0, 1})});
  EXPECT_EQ(certificate.is("a.test"), NameMatch::matches);
  EXPECT_EQ(certificate.is("A.Test"), NameMatch::matches);
  EXPECT_EQ(certificate.is("b.wild.test"), NameMatch::matches);
  EXPECT_EQ(certificate.is("10.0.0.1"), NameMatch::matches);
  for (const char* other : {"b.test", "wild.test", ".wild.test", "c.b.wild.test", "10.0.0.2", "::1", "someone", ""}) {
    EXPECT_EQ(certificate.is(other), NameMatch::differs) << other;
  }
}

TEST(ServerName, is_never_the_common_name) {
  EXPECT_EQ(Certificate("a.test", {}).is("a.test"), NameMatch::nameless);
  EXPECT_EQ(Certificate("10.0.0.1", {}).is("10.0.0.1"), NameMatch::nameless);
  EXPECT_EQ(Certificate("a.test", {{GNUTLS_SAN_RFC822NAME, "a@a.test"}}).is("a.test"), NameMatch::nameless);
  EXPECT_EQ(Certificate("a.test", {dns("b.test")}).is("a.test"), NameMatch::differs);
  EXPECT_EQ(Certificate("a.test", {ip({10, 0, 0, 1})}).is("a.test"), NameMatch::differs);
  EXPECT_EQ(Certificate("10.0.0.2", {ip({10, 0, 0, 1})}).is("10.0.0.2"), NameMatch::differs);
  EXPECT_EQ(Certificate("a.test", {dns(std::string(2000, 'x')), dns("b.test")}).is("a.test"), NameMatch::differs);
}

TEST(ServerName, of_an_address_is_an_address) {
  EXPECT_EQ(Certificate("x", {dns("10.0.0.1")}).is("10.0.0.1"), NameMatch::differs);
  EXPECT_EQ(Certificate("x", {ip({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})}).is("::1"), NameMatch::matches);
  EXPECT_EQ(Certificate("x", {ip({10, 0, 0})}).is("10.0.0.0"), NameMatch::differs);
}

TEST(ServerName, with_a_wildcard_is_of_one_domain) {
  EXPECT_EQ(Certificate("x", {dns("*.test")}).is("a.test"), NameMatch::differs);
  EXPECT_EQ(Certificate("x", {dns("a*.b.test")}).is("aa.b.test"), NameMatch::differs);
  EXPECT_EQ(Certificate("x", {dns("*.B.test")}).is("a.b.test"), NameMatch::matches);
}

TEST(ServerName, beyond_ascii_is_looked_for_in_its_ascii_form) {
  EXPECT_EQ(Certificate("x", {dns("xn--bcher-kva.test")}).is("b\u00fccher.test"), NameMatch::matches);
}

TEST(ServerName, of_what_is_no_certificate_is_none) {
  unsigned char nonsense[] = {1, 2, 3};
  EXPECT_EQ(match_server_name({nonsense, sizeof nonsense}, "a.test"), NameMatch::nameless);
}

}  // namespace
}  // namespace qmux::quic

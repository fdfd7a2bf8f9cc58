// SPDX-License-Identifier: MIT
#include "app/certs/issue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qmux::app {
namespace {

using ::testing::ElementsAre;

constexpr std::time_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z

Identity authority(const Validity& validity = validity_from(kNow, 10)) {
  return make_authority(KeyType::ecdsa, validity).value();
}

/// What GnuTLS, as a TLS peer, says of a certificate at `when`: 0 is good.
unsigned verify(const Identity& identity, const Identity& ca, const char* purpose, const char* name) {
  gnutls_x509_trust_list_t trusted = nullptr;
  gnutls_x509_trust_list_init(&trusted, 0);
  gnutls_x509_crt_t ca_certificate = ca.certificate.get();
  gnutls_x509_trust_list_add_cas(trusted, &ca_certificate, 1, 0);
  gnutls_typed_vdata_st data[2] = {};
  data[0].type = GNUTLS_DT_KEY_PURPOSE_OID;
  data[0].data = reinterpret_cast<unsigned char*>(const_cast<char*>(purpose));
  data[1].type = GNUTLS_DT_DNS_HOSTNAME;
  data[1].data = reinterpret_cast<unsigned char*>(const_cast<char*>(name));
  gnutls_x509_crt_t certificate = identity.certificate.get();
  unsigned status = 0;
  EXPECT_EQ(
      gnutls_x509_trust_list_verify_crt2(trusted, &certificate, 1, data, name != nullptr ? 2 : 1, 0, &status, nullptr),
      0);
  gnutls_x509_trust_list_deinit(trusted, 0);
  return status;
}

class FixedClock : public ::testing::Test {
 protected:
  static std::time_t& now() {
    static std::time_t time = kNow;
    return time;
  }
  FixedClock() {
    now() = kNow;
    gnutls_global_set_time_function([](std::time_t* out) {
      if (out != nullptr) *out = now();
      return now();
    });
  }
  ~FixedClock() override { gnutls_global_set_time_function(std::time); }
};

using Issue = FixedClock;

TEST_F(Issue, writes_private_values_of_32_bytes_whatever_their_first_bits) {
  for (int i = 0; i < 16; ++i) {
    const Identity identity = authority();
    const std::string pem = private_key_pem(identity);
    EXPECT_EQ(pem.find("BEGIN PRIVATE KEY"), pem.find("BEGIN"));

    const gnutls_datum_t text = to_datum(pem);
    gnutls_datum_t der{};
    ASSERT_EQ(gnutls_pem_base64_decode2(nullptr, &text, &der), GNUTLS_E_SUCCESS);
    EXPECT_EQ(take_datum(der).size(), 138U);

    const X509PrivateKey read_back;
    ASSERT_EQ(gnutls_x509_privkey_import(read_back.get(), &text, GNUTLS_X509_FMT_PEM), GNUTLS_E_SUCCESS);
    EXPECT_EQ(gnutls_x509_privkey_verify_params(read_back.get()), GNUTLS_E_SUCCESS);
    EXPECT_TRUE(import_authority(certificate_pem(identity), pem, kNow, "ca.crt", "ca.key").has_value());
  }
}

TEST_F(Issue, makes_servers_that_clients_accept_under_all_their_names) {
  const Identity ca = authority();
  const auto names = server_names({"Example.com", "*.wild.org", "10.1.2.3", "2001:db8::1"}).value();
  const Identity server = issue_server(ca, KeyType::ecdsa, validity_from(kNow, 1), names).value();
  for (const char* name :
       {"example.com", "EXAMPLE.com", "a.wild.org", "qmux-server", "10.1.2.3", "2001:db8::1", "127.0.0.1", "::1"}) {
    EXPECT_EQ(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, name), 0U) << name;
  }
  EXPECT_NE(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, "localhost"), 0U);
  EXPECT_NE(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, "10.1.2.4"), 0U);
}

TEST_F(Issue, makes_a_server_of_thousands_of_names) {
  const Identity ca = authority();
  std::vector<std::string> many;
  for (int i = 0; i < 3000; ++i) many.push_back("n" + std::to_string(i) + ".example");
  const Identity server = issue_server(ca, KeyType::ecdsa, validity_from(kNow, 1), server_names(many).value()).value();
  EXPECT_EQ(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, "n0.example"), 0U);
  EXPECT_EQ(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, "n2999.example"), 0U);
}

TEST_F(Issue, keeps_servers_and_clients_apart) {
  const Identity ca = authority();
  const Identity server =
      issue_server(ca, KeyType::ecdsa, validity_from(kNow, 1), server_names({"a.org"}).value()).value();
  const Identity client = issue_client(ca, KeyType::ecdsa, validity_from(kNow, 1), "one").value();
  EXPECT_EQ(verify(client, ca, GNUTLS_KP_TLS_WWW_CLIENT, nullptr), 0U);
  EXPECT_NE(verify(client, ca, GNUTLS_KP_TLS_WWW_SERVER, nullptr), 0U);
  EXPECT_NE(verify(server, ca, GNUTLS_KP_TLS_WWW_CLIENT, nullptr), 0U);
  EXPECT_NE(verify(client, authority(), GNUTLS_KP_TLS_WWW_CLIENT, nullptr), 0U) << "of another authority";
}

TEST_F(Issue, makes_certificates_good_from_an_hour_ago_for_the_years_asked_for) {
  const Identity ca = authority();
  const Identity client = issue_client(ca, KeyType::ecdsa, validity_from(kNow, 2), "one").value();
  EXPECT_EQ(gnutls_x509_crt_get_activation_time(client.certificate.get()), kNow - 3600);
  EXPECT_EQ(gnutls_x509_crt_get_expiration_time(client.certificate.get()), kNow + 731 * 86'400)
      << "2028 is a leap year";
  now() = kNow + 731 * 86'400 + 1;
  EXPECT_NE(verify(client, ca, GNUTLS_KP_TLS_WWW_CLIENT, nullptr) & GNUTLS_CERT_EXPIRED, 0U);
}

TEST_F(Issue, lets_no_certificate_outlive_its_authority) {
  const Identity ca = authority(validity_from(kNow, 1));
  const Identity client = issue_client(ca, KeyType::ecdsa, validity_from(kNow, 50), "one").value();
  EXPECT_EQ(gnutls_x509_crt_get_expiration_time(client.certificate.get()), kNow + 365 * 86'400);
}

TEST_F(Issue, makes_years_past_2050) {
  const Identity ca = authority(validity_from(kNow, 100));
  EXPECT_EQ(gnutls_x509_crt_get_expiration_time(ca.certificate.get()), validity_from(kNow, 100).not_after);
}

TEST_F(Issue, draws_positive_serial_numbers_that_differ) {
  const Identity ca = authority();
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const Identity client = issue_client(ca, KeyType::ecdsa, validity_from(kNow, 1), "one").value();
    unsigned char serial[20];
    std::size_t size = sizeof(serial);
    ASSERT_EQ(gnutls_x509_crt_get_serial(client.certificate.get(), serial, &size), 0);
    EXPECT_EQ(size, 16U);
    EXPECT_EQ(serial[0] & 0xc0U, 0x40U);
    seen.insert(std::string(reinterpret_cast<char*>(serial), size));
  }
  EXPECT_EQ(seen.size(), 20U);
}

TEST_F(Issue, makes_rsa_of_the_old_kind) {
  const Identity ca = authority();
  const Identity server =
      issue_server(ca, KeyType::rsa, validity_from(kNow, 1), server_names({"a.org"}).value()).value();
  unsigned bits = 0;
  EXPECT_EQ(gnutls_x509_crt_get_pk_algorithm(server.certificate.get(), &bits), GNUTLS_PK_RSA);
  EXPECT_EQ(bits, 2048U);
  unsigned usage = 0;
  unsigned critical = 0;
  EXPECT_EQ(gnutls_x509_crt_get_key_usage(server.certificate.get(), &usage, &critical), 0);
  EXPECT_EQ(usage, static_cast<unsigned>(GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT));
  EXPECT_EQ(verify(server, ca, GNUTLS_KP_TLS_WWW_SERVER, "a.org"), 0U);
}

TEST(ServerNames, sorts_names_and_addresses_and_adds_its_own) {
  const auto names = server_names({"B.org", "b.org", "[::1]", "10.0.0.1", "a_b-c.x"}).value();
  EXPECT_THAT(names.dns, ElementsAre("b.org", "a_b-c.x", "qmux-server"));
  EXPECT_THAT(names.ip,
              ElementsAre(std::string(15, '\0') + '\1', std::string("\x0a\0\0\1", 4), std::string("\x7f\0\0\1", 4)));
}

TEST(ServerNames, refuses_what_is_neither) {
  for (const auto* name :
       {"", "a b", "https://a.org", "a.org:443", "-a.org", "a..org", "a.*.org", "*", "*.", "10.0.0", "10.0.0.256",
        "b\xc3\xbc"
        "cher.de",
        "a.org\n"}) {
    EXPECT_FALSE(server_names({name}).has_value()) << name;
  }
  EXPECT_FALSE(server_names({std::string(64, 'a') + ".org"}).has_value());
}

class ImportAuthority : public ::testing::Test {
 protected:
  std::string error(std::string_view certificate, std::string_view key, std::time_t now = kNow) {
    const auto imported = import_authority(certificate, key, now, "ca.crt", "ca.key");
    return imported ? "none" : imported.error().text();
  }
  Identity ca_ = authority();
  std::string certificate_ = certificate_pem(ca_);
  std::string key_ = private_key_pem(ca_);
};

TEST_F(ImportAuthority, takes_back_what_was_exported) {
  const auto imported = import_authority(certificate_, key_, kNow, "ca.crt", "ca.key");
  ASSERT_TRUE(imported.has_value());
  const Identity client = issue_client(*imported, KeyType::ecdsa, validity_from(kNow, 1), "one").value();
  EXPECT_GE(gnutls_x509_crt_check_issuer(client.certificate.get(), ca_.certificate.get()), 1U);
}

TEST_F(ImportAuthority, says_what_is_wrong) {
  EXPECT_EQ(error("nonsense", key_), "ca.crt: is not a certificate in PEM: Base64 unexpected header error.");
  EXPECT_TRUE(error(certificate_, "nonsense").starts_with("ca.key: is not a private key in PEM: "));
  EXPECT_EQ(error(certificate_, private_key_pem(authority())),
            "ca.key: does not belong to ca.crt (expected the key that the certificate was made with)");
  const Identity client = issue_client(ca_, KeyType::ecdsa, validity_from(kNow, 1), "one").value();
  EXPECT_EQ(error(certificate_pem(client), private_key_pem(client)),
            "ca.crt: is not the certificate of an authority (expected basic constraints with CA:TRUE)");
  EXPECT_EQ(error(certificate_, key_, kNow + 11L * 366 * 86'400).substr(0, 20), "ca.crt: has expired ");
  EXPECT_EQ(error(certificate_, key_, kNow - 7200), "ca.crt: is not valid yet (expected a clock that is right)");
}

TEST_F(ImportAuthority, wants_a_key_without_a_passphrase) {
  gnutls_datum_t out{};
  ASSERT_EQ(
      gnutls_x509_privkey_export2_pkcs8(ca_.key.get(), GNUTLS_X509_FMT_PEM, "secret", GNUTLS_PKCS_PBES2_AES_256, &out),
      0);
  EXPECT_EQ(error(certificate_, take_datum(out)), "ca.key: is encrypted (expected a key without a passphrase)");
}

}  // namespace
}  // namespace qmux::app

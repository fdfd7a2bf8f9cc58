// SPDX-License-Identifier: MIT
#include "app/certs/issue.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "app/certs/ecdsa_key_pem.h"

namespace qmux::app {
namespace {

/// Runs the steps of building a certificate; the first failure is kept, those after it are skipped.
class Steps {
 public:
  template <typename Step>
  Steps& then(Step step) {
    if (status_ >= 0) status_ = step();
    return *this;
  }
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_ = GNUTLS_E_SUCCESS;
};

std::unexpected<Error> gnutls_error(std::string_view what, int status, std::string where = {}) {
  return fail(std::string(what) + ": " + gnutls_strerror(status), std::move(where));
}

int generate_key(gnutls_x509_privkey_t key, KeyType type, unsigned rsa_bits) {
  if (type == KeyType::rsa) return gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, rsa_bits, 0);
  return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

using KeyId = std::array<unsigned char, 20>;  // SHA-1 of the public key, RFC 5280 section 4.2.1.2

KeyId key_id(gnutls_x509_privkey_t key) {
  KeyId id{};
  std::size_t size = id.size();
  CHECK(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA1, id.data(), &size) == GNUTLS_E_SUCCESS);
  return id;
}

int set_name(gnutls_x509_crt_t certificate, const char* oid, std::string_view value) {
  return gnutls_x509_crt_set_dn_by_oid(certificate, oid, 0, value.data(), static_cast<unsigned>(value.size()));
}

/// Positive, never leading with a zero byte, 126 random bits (RFC 5280 section 4.1.2.2 asks for at most 20 bytes).
int set_random_serial(gnutls_x509_crt_t certificate) {
  std::array<unsigned char, 16> serial{};
  if (const int status = gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()); status < 0) return status;
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3fU) | 0x40U);
  return gnutls_x509_crt_set_serial(certificate, serial.data(), serial.size());
}

struct Subject {
  std::string_view organization;
  std::string_view common_name;
};

/// What all three kinds have in common. The identity's key is there already.
void describe(Steps& steps, const Identity& identity, const Subject& subject, const Validity& validity) {
  gnutls_x509_crt_t certificate = identity.certificate.get();
  const KeyId id = key_id(identity.key.get());
  steps.then([&] { return gnutls_x509_crt_set_version(certificate, 3); })
      .then([&] { return set_random_serial(certificate); })
      .then([&] { return gnutls_x509_crt_set_activation_time(certificate, validity.not_before); })
      .then([&] { return gnutls_x509_crt_set_expiration_time(certificate, validity.not_after); })
      .then([&] { return set_name(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, subject.organization); })
      .then([&] { return set_name(certificate, GNUTLS_OID_X520_COMMON_NAME, subject.common_name); })
      .then([&] { return gnutls_x509_crt_set_key(certificate, identity.key.get()); })
      .then([&] { return gnutls_x509_crt_set_subject_key_id(certificate, id.data(), id.size()); });
}

int sign(const Identity& identity, const Identity& authority) {
  return gnutls_x509_crt_sign2(identity.certificate.get(), authority.certificate.get(), authority.key.get(),
                               GNUTLS_DIG_SHA256, 0);
}

/// The authority's key identifier as in its certificate, so that the two match whatever program made it.
int set_authority_key_id(gnutls_x509_crt_t certificate, const Identity& authority) {
  std::array<unsigned char, 64> id{};
  std::size_t size = id.size();
  unsigned critical = 0;
  if (gnutls_x509_crt_get_subject_key_id(authority.certificate.get(), id.data(), &size, &critical) < 0) {
    const KeyId computed = key_id(authority.key.get());
    return gnutls_x509_crt_set_authority_key_id(certificate, computed.data(), computed.size());
  }
  return gnutls_x509_crt_set_authority_key_id(certificate, id.data(), size);
}

/// Made as a whole: a certificate that is given its names one by one parses and writes those it has each time.
int set_alternative_names(gnutls_x509_crt_t certificate, const ServerNames& names) {
  const SubjectAltNames all;
  Steps steps;
  const auto add = [&](gnutls_x509_subject_alt_name_t type, const std::string& name) {
    const gnutls_datum_t datum = to_datum(name);
    steps.then([&] { return gnutls_subject_alt_names_set(all.get(), type, &datum, nullptr); });
  };
  for (const std::string& name : names.dns) add(GNUTLS_SAN_DNSNAME, name);
  for (const std::string& ip : names.ip) add(GNUTLS_SAN_IPADDRESS, ip);
  gnutls_datum_t extension{};
  steps.then([&] { return gnutls_x509_ext_export_subject_alt_names(all.get(), &extension); }).then([&] {
    constexpr auto kSubjectAltName = "2.5.29.17";
    return gnutls_x509_crt_set_extension_by_oid(certificate, kSubjectAltName, extension.data, extension.size, 0);
  });
  gnutls_free(extension.data);
  return steps.status();
}

/// RSA encipherment belongs to TLS 1.2 and earlier. It is set for peers that still require the bit.
unsigned server_key_usage(KeyType type) {
  return GNUTLS_KEY_DIGITAL_SIGNATURE | (type == KeyType::rsa ? GNUTLS_KEY_KEY_ENCIPHERMENT : 0U);
}

Validity within(const Validity& wanted, const Identity& authority) {
  return {std::max(wanted.not_before, gnutls_x509_crt_get_activation_time(authority.certificate.get())),
          std::min(wanted.not_after, gnutls_x509_crt_get_expiration_time(authority.certificate.get()))};
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

/// RFC 1123 section 2.1, in lower case; a name of digits and dots alone is a mistyped address.
bool is_dns_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > 253) return false;
  if (std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; })) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

/// The 4 or 16 bytes of an IP literal; empty when it is none.
std::string ip_bytes(const std::string& literal) {
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, literal.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, literal.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

/// Each name once, in the order given.
class NameList {
 public:
  void add(std::string name) {
    if (const auto [known, is_new] = seen_.insert(std::move(name)); is_new) names_.push_back(*known);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
  std::unordered_set<std::string> seen_;
};

/// As a peer receives it. GnuTLS looks for names and issuers in what it has parsed, not in what it has built.
Identity parsed_again(Identity built) {
  gnutls_datum_t der{};
  CHECK(gnutls_x509_crt_export2(built.certificate.get(), GNUTLS_X509_FMT_DER, &der) == GNUTLS_E_SUCCESS);
  X509Certificate parsed;
  CHECK(gnutls_x509_crt_import(parsed.get(), &der, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS);
  gnutls_free(der.data);
  built.certificate = std::move(parsed);
  return built;
}

}  // namespace

Validity validity_from(std::time_t now, unsigned years) {
  std::tm date{};
  ::gmtime_r(&now, &date);
  date.tm_year += static_cast<int>(years);
  constexpr std::time_t kHourSeconds = 3600;
  return {now - kHourSeconds, ::timegm(&date)};
}

Result<ServerNames> server_names(const std::vector<std::string>& given) {
  NameList dns;
  NameList ip;
  for (std::string name : given) {
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
    if (std::string bytes = ip_bytes(name); !bytes.empty()) {
      ip.add(std::move(bytes));
      continue;
    }
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (!is_dns_name(name)) {
      return fail(name.empty() ? "an empty server name" : "\"" + name + "\" is not a server name", {},
                  "a DNS name in ASCII, such as example.com, or an IP address");
    }
    dns.add(std::move(name));
  }
  dns.add("qmux-server");
  ip.add(ip_bytes("127.0.0.1"));
  ip.add(ip_bytes("::1"));
  return ServerNames{.dns = dns.take(), .ip = ip.take()};
}

Result<Identity> make_authority(KeyType type, const Validity& validity) {
  constexpr unsigned kRsaBits = 4096;
  Identity authority;
  Steps steps;
  steps.then([&] { return generate_key(authority.key.get(), type, kRsaBits); });
  if (steps.status() < 0) return gnutls_error("no key for the authority", steps.status());
  describe(steps, authority, {.organization = "QMux CA", .common_name = "QMux Root CA"}, validity);
  gnutls_x509_crt_t certificate = authority.certificate.get();
  // A path length of 0: it signs servers and clients, and no further authorities.
  steps.then([&] { return gnutls_x509_crt_set_basic_constraints(certificate, 1, 0); })
      .then([&] { return gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN); })
      .then([&] { return sign(authority, authority); });
  if (steps.status() < 0) return gnutls_error("no certificate for the authority", steps.status());
  return parsed_again(std::move(authority));
}

Result<Identity> issue_server(const Identity& authority, KeyType type, const Validity& validity,
                              const ServerNames& names) {
  constexpr unsigned kRsaBits = 2048;
  Identity server;
  Steps steps;
  steps.then([&] { return generate_key(server.key.get(), type, kRsaBits); });
  if (steps.status() < 0) return gnutls_error("no key for the server", steps.status());
  describe(steps, server, {.organization = "QMux", .common_name = "QMux Server"}, within(validity, authority));
  gnutls_x509_crt_t certificate = server.certificate.get();
  steps.then([&] { return set_alternative_names(certificate, names); })
      .then([&] { return gnutls_x509_crt_set_basic_constraints(certificate, 0, -1); })
      .then([&] { return gnutls_x509_crt_set_key_usage(certificate, server_key_usage(type)); })
      .then([&] { return gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0); })
      .then([&] { return set_authority_key_id(certificate, authority); })
      .then([&] { return sign(server, authority); });
  if (steps.status() < 0) return gnutls_error("no certificate for the server", steps.status());
  return parsed_again(std::move(server));
}

Result<Identity> issue_client(const Identity& authority, KeyType type, const Validity& validity,
                              std::string_view common_name) {
  constexpr unsigned kRsaBits = 2048;
  Identity client;
  Steps steps;
  steps.then([&] { return generate_key(client.key.get(), type, kRsaBits); });
  if (steps.status() < 0) return gnutls_error("no key for the client", steps.status());
  describe(steps, client, {.organization = "QMux", .common_name = common_name}, within(validity, authority));
  gnutls_x509_crt_t certificate = client.certificate.get();
  steps.then([&] { return gnutls_x509_crt_set_basic_constraints(certificate, 0, -1); })
      .then([&] { return gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE); })
      .then([&] { return gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0); })
      .then([&] { return set_authority_key_id(certificate, authority); })
      .then([&] { return sign(client, authority); });
  if (steps.status() < 0) return gnutls_error("no certificate for the client", steps.status());
  return parsed_again(std::move(client));
}

Result<Identity> import_authority(std::string_view certificate_pem, std::string_view key_pem, std::time_t now,
                                  const std::string& certificate_file, const std::string& key_file) {
  Identity authority;
  const gnutls_datum_t certificate_datum = to_datum(certificate_pem);
  int status = gnutls_x509_crt_import(authority.certificate.get(), &certificate_datum, GNUTLS_X509_FMT_PEM);
  if (status < 0) return gnutls_error("is not a certificate in PEM", status, certificate_file);
  const gnutls_datum_t key_datum = to_datum(key_pem);
  status = gnutls_x509_privkey_import2(authority.key.get(), &key_datum, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (status == GNUTLS_E_DECRYPTION_FAILED) return fail("is encrypted", key_file, "a key without a passphrase");
  if (status < 0) return gnutls_error("is not a private key in PEM", status, key_file);

  KeyId certified{};
  std::size_t size = certified.size();
  status = gnutls_x509_crt_get_key_id(authority.certificate.get(), GNUTLS_KEYID_USE_SHA1, certified.data(), &size);
  if (status < 0) return gnutls_error("has no usable public key", status, certificate_file);
  if (certified != key_id(authority.key.get())) {
    return fail("does not belong to " + certificate_file, key_file, "the key that the certificate was made with");
  }
  if (gnutls_x509_crt_get_ca_status(authority.certificate.get(), nullptr) <= 0) {
    return fail("is not the certificate of an authority", certificate_file, "basic constraints with CA:TRUE");
  }
  if (now > gnutls_x509_crt_get_expiration_time(authority.certificate.get())) {
    return fail("has expired", certificate_file,
                "an authority that is still valid; --force without --client makes a new one");
  }
  if (now < gnutls_x509_crt_get_activation_time(authority.certificate.get())) {
    return fail("is not valid yet", certificate_file, "a clock that is right");
  }
  return authority;
}

std::string certificate_pem(const Identity& identity) {
  gnutls_datum_t datum{};
  CHECK(gnutls_x509_crt_export2(identity.certificate.get(), GNUTLS_X509_FMT_PEM, &datum) == GNUTLS_E_SUCCESS);
  return take_datum(datum);
}

std::string private_key_pem(const Identity& identity) {
  if (gnutls_x509_privkey_get_pk_algorithm(identity.key.get()) == GNUTLS_PK_ECDSA) {
    return p256_private_key_pem(identity.key.get());
  }
  gnutls_datum_t datum{};
  CHECK(gnutls_x509_privkey_export2_pkcs8(identity.key.get(), GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN,
                                          &datum) == GNUTLS_E_SUCCESS);
  return take_datum(datum);
}

}  // namespace qmux::app

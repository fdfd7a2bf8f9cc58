// SPDX-License-Identifier: MIT
//
// Certificates with a key of any kind, each signed by itself, made in a moment and gone with the test.
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "quic/credentials.h"

namespace qmux::quic {

/// A file with this content, removed with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/qmux-credentials.XXXXXX";
    const int fd = mkstemp(pattern.data());
    EXPECT_GE(fd, 0);
    close(fd);
    path = pattern;
    std::ofstream(path) << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::string path;
};

struct KeyOfKind {
  const char* name;
  gnutls_pk_algorithm_t algorithm;
  unsigned bits;  ///< or GNUTLS_CURVE_TO_BITS(...)
};

inline constexpr KeyOfKind kP256{"P256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)};
inline constexpr KeyOfKind kP384{"P384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)};
inline constexpr KeyOfKind kP521{"P521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)};
inline constexpr KeyOfKind kP224{"P224", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP224R1)};
inline constexpr KeyOfKind kEd25519{"Ed25519", GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)};
inline constexpr KeyOfKind kEd448{"Ed448", GNUTLS_PK_EDDSA_ED448, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED448)};
inline constexpr KeyOfKind kRsa{"Rsa", GNUTLS_PK_RSA, 2048};
inline constexpr KeyOfKind kRsaPss{"RsaPss", GNUTLS_PK_RSA_PSS, 2048};

/// For "server.test" and both purposes. It is its own authority: `files()` trusts `peer`.
class SelfSigned {
 public:
  explicit SelfSigned(const KeyOfKind& kind) : SelfSigned(make(kind)) {}

  [[nodiscard]] CredentialFiles files() const { return {certificate.path, key.path, ""}; }
  [[nodiscard]] CredentialFiles files(const SelfSigned& peer) const {
    return {certificate.path, key.path, peer.certificate.path};
  }

  const TemporaryFile certificate;
  const TemporaryFile key;

 private:
  struct Pem {
    std::string certificate;
    std::string key;
  };

  explicit SelfSigned(const Pem& pem) : certificate(pem.certificate), key(pem.key) {}

  static std::string take(gnutls_datum_t& datum) {
    std::string text(reinterpret_cast<const char*>(datum.data), datum.size);
    gnutls_free(datum.data);
    return text;
  }

  static Pem make(const KeyOfKind& kind) {
    gnutls_x509_privkey_t key = nullptr;
    gnutls_x509_privkey_init(&key);
    EXPECT_EQ(gnutls_x509_privkey_generate(key, kind.algorithm, kind.bits, 0), 0);
    gnutls_x509_crt_t certificate = nullptr;
    gnutls_x509_crt_init(&certificate);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, "\1", 1);
    gnutls_x509_crt_set_activation_time(certificate, 1);
    gnutls_x509_crt_set_expiration_time(certificate, 4'000'000'000);
    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, "own authority", 13);
    gnutls_x509_crt_set_key(certificate, key);
    gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, "server.test", 11, GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_basic_constraints(certificate, 1, -1);
    gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN);
    gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    EXPECT_EQ(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_UNKNOWN, 0), 0);

    gnutls_datum_t certificate_pem{};
    gnutls_datum_t key_pem{};
    EXPECT_EQ(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem), 0);
    EXPECT_EQ(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, &key_pem), 0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    return {take(certificate_pem), take(key_pem)};
  }
};

}  // namespace qmux::quic

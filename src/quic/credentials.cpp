// SPDX-License-Identifier: MIT
#include "quic/credentials.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "quic/limits.h"
#include "quic/tls_session.h"

namespace qmux::quic {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr char kSecretLabel[] = "qmux endpoint secret";

struct PemFile {
  std::string text;
  [[nodiscard]] gnutls_datum_t datum() {
    return {reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
  }
  ~PemFile() { gnutls_memset(text.data(), 0, text.size()); }
};

Result<void> read_file(const std::string& path, PemFile& into) {
  const auto unreadable = [&](const std::string& why) { return fail("cannot be read: " + why, path, "a PEM file"); };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) return unreadable(error.message());
  // Anything else might have no end, or never begin.
  if (!std::filesystem::is_regular_file(status)) return unreadable("not a regular file");
  if (std::filesystem::file_size(path, error) > limits::kPemFileBytesMax) return unreadable("larger than any PEM file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  into.text.assign(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return unreadable(std::strerror(errno));
  return {};
}

/// The first certificate of the file must be valid for the purpose: else every peer would refuse it, one by one. Its dates
/// come back.
Result<Validity> check_certificate(PemFile& pem, const std::string& path, Credentials::Purpose purpose) {
  const gnutls_datum_t data = pem.datum();
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_x509_crt_init(&certificate);
  const std::unique_ptr<gnutls_x509_crt_int, decltype(&gnutls_x509_crt_deinit)> owner(certificate,
                                                                                      &gnutls_x509_crt_deinit);
  if (const int error = gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_PEM); error < 0) {
    return fail(std::string("holds no certificate: ") + gnutls_strerror(error), path, "a PEM certificate");
  }
  const bool server = purpose == Credentials::Purpose::server;
  const char* const oid = server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
  if (gnutls_x509_crt_check_key_purpose(certificate, oid, 0) == 0) {
    return fail("the certificate's extended key usage does not allow it here", path,
                server ? "a certificate for serverAuth" : "a certificate for clientAuth");
  }
  // TLS 1.3 knows no other use of it than to sign (RFC 8446 section 4.4.2.2).
  unsigned usage = 0;
  if (gnutls_x509_crt_get_key_usage(certificate, &usage, nullptr) >= 0 && (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0) {
    return fail("the certificate's key usage does not allow signatures", path,
                "a certificate whose key usage has digitalSignature");
  }
  return Validity{.not_before = gnutls_x509_crt_get_activation_time(certificate),
                  .not_after = gnutls_x509_crt_get_expiration_time(certificate)};
}

Result<std::vector<std::byte>> derive_secret(PemFile& key, const std::string& path) {
  const gnutls_datum_t data = key.datum();
  gnutls_x509_privkey_t parsed = nullptr;
  gnutls_x509_privkey_init(&parsed);
  const std::unique_ptr<gnutls_x509_privkey_int, decltype(&gnutls_x509_privkey_deinit)> owner(
      parsed, &gnutls_x509_privkey_deinit);
  if (const int error = gnutls_x509_privkey_import2(parsed, &data, GNUTLS_X509_FMT_PEM, nullptr, 0); error < 0) {
    return fail(std::string("holds no private key that can be read: ") + gnutls_strerror(error), path,
                "a PEM private key without password");
  }
  gnutls_datum_t der{};
  if (const int error =
          gnutls_x509_privkey_export2_pkcs8(parsed, GNUTLS_X509_FMT_DER, nullptr, GNUTLS_PKCS_PLAIN, &der);
      error < 0) {
    return fail(std::string("the private key cannot be used: ") + gnutls_strerror(error), path);
  }
  std::vector<std::byte> secret(kSecretBytes);
  const int error =
      gnutls_hmac_fast(GNUTLS_MAC_SHA256, kSecretLabel, sizeof kSecretLabel - 1, der.data, der.size, secret.data());
  gnutls_memset(der.data, 0, der.size);
  gnutls_free(der.data);
  if (error < 0) return fail(std::string("the private key cannot be used: ") + gnutls_strerror(error), path);
  return secret;
}

Result<std::vector<std::byte>> read_secret(const std::string& path) {
  PemFile file;
  if (auto read = read_file(path, file); !read) return std::unexpected(read.error());
  if (file.text.size() < kSecretBytes) {
    return fail("is too short to be a secret", path,
                "at least " + std::to_string(kSecretBytes) + " bytes that cannot be guessed");
  }
  std::vector<std::byte> secret(kSecretBytes);
  const int error = gnutls_hmac_fast(GNUTLS_MAC_SHA256, kSecretLabel, sizeof kSecretLabel - 1, file.text.data(),
                                     file.text.size(), secret.data());
  if (error < 0) return fail(std::string("cannot be used: ") + gnutls_strerror(error), path);
  return secret;
}

// AES-GCM first where the CPU computes it in hardware; ChaCha20 otherwise is several times faster than AES in software.
const char* priority_string() {
#if defined(__x86_64__) || defined(__i386__)
  const bool aes = __builtin_cpu_supports("aes") != 0;
#else
  const bool aes = true;
#endif
  return aes ? "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
               "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE"
             : "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM:"
               "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE";
}

}  // namespace

Credentials::~Credentials() {
  if (priority_ != nullptr) gnutls_priority_deinit(priority_);
  if (raw_ != nullptr) gnutls_certificate_free_credentials(raw_);
  gnutls_memset(secret_.data(), 0, secret_.size());
}

Result<std::unique_ptr<Credentials>> Credentials::load(const CredentialFiles& files, Purpose purpose,
                                                       std::string_view schemes) {
  std::unique_ptr<Credentials> credentials(new Credentials);
  if (gnutls_certificate_allocate_credentials(&credentials->raw_) < 0) return fail("out of memory");
  const std::string priority = priority_string() + std::string(schemes);
  if (const int error = gnutls_priority_init(&credentials->priority_, priority.c_str(), nullptr); error < 0) {
    return fail(std::string("GnuTLS has no cipher that QUIC can use: ") + gnutls_strerror(error));
  }

  if (!files.certificate.empty()) {
    PemFile certificate;
    PemFile key;
    if (auto read = read_file(files.certificate, certificate); !read) return std::unexpected(read.error());
    if (auto read = read_file(files.key, key); !read) return std::unexpected(read.error());
    auto validity = check_certificate(certificate, files.certificate, purpose);
    if (!validity) return std::unexpected(validity.error());
    credentials->validity_ = *validity;
    if (auto loaded = credentials->own_certificate_.load(certificate.datum(), key.datum(),
                                                         {files.certificate, files.key}, credentials->raw_);
        !loaded) {
      return std::unexpected(loaded.error());
    }
    auto secret = derive_secret(key, files.key);
    if (!secret) return std::unexpected(secret.error());
    credentials->secret_ = std::move(*secret);
  }
  gnutls_certificate_set_retrieve_function3(credentials->raw_, &TlsSession::show_own_certificate);

  if (!files.secret.empty()) {
    auto secret = read_secret(files.secret);
    if (!secret) return std::unexpected(secret.error());
    credentials->secret_ = std::move(*secret);
  }

  if (!files.trust.empty()) {
    PemFile trust;
    if (auto read = read_file(files.trust, trust); !read) return std::unexpected(read.error());
    const gnutls_datum_t data = trust.datum();
    const int count = gnutls_certificate_set_x509_trust_mem(credentials->raw_, &data, GNUTLS_X509_FMT_PEM);
    if (count <= 0) {
      return fail(count < 0 ? std::string("holds no certificate: ") + gnutls_strerror(count) : "holds no certificate",
                  files.trust, "PEM certificates of the authorities to trust");
    }
  }
  return credentials;
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/certificate_text.h"

#include <fmt/chrono.h>
#include <gnutls/x509.h>

#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/printable.h"

namespace qmux::quic {
namespace {

constexpr std::size_t kNameShownBytes = 80;
constexpr std::size_t kNamesShown = 5;

struct Freed {
  gnutls_datum_t datum{};
  Freed() = default;
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  ~Freed() { gnutls_free(datum.data); }
  [[nodiscard]] std::string shown() const {
    return qmux::shown(as_text(std::as_bytes(std::span(datum.data, datum.size))), kNameShownBytes);
  }
};

class Parsed {
 public:
  explicit Parsed(const gnutls_datum_t& der) {
    if (gnutls_x509_crt_init(&raw_) < 0) raw_ = nullptr;
    usable_ = raw_ != nullptr && gnutls_x509_crt_import(raw_, &der, GNUTLS_X509_FMT_DER) >= 0;
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
  ~Parsed() {
    if (raw_ != nullptr) gnutls_x509_crt_deinit(raw_);
  }

  [[nodiscard]] std::string subject() const { return usable_ ? name(gnutls_x509_crt_get_dn3) : std::string(); }
  [[nodiscard]] std::string issuer() const { return usable_ ? name(gnutls_x509_crt_get_issuer_dn3) : std::string(); }
  [[nodiscard]] std::int64_t not_before() const { return usable_ ? gnutls_x509_crt_get_activation_time(raw_) : 0; }
  [[nodiscard]] std::int64_t not_after() const { return usable_ ? gnutls_x509_crt_get_expiration_time(raw_) : 0; }

 private:
  std::string name(int (*get)(gnutls_x509_crt_t, gnutls_datum_t*, unsigned)) const {
    Freed text;
    return get(raw_, &text.datum, 0) >= 0 ? text.shown() : std::string();
  }

  gnutls_x509_crt_t raw_ = nullptr;
  bool usable_ = false;
};

std::string date_text(std::int64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// The fault may be that of any certificate in the chain, or of an authority that the peer did not send.
std::string date_fault_text(const JudgedCertificate& certificate) {
  const bool early = certificate.fault == CertificateFault::not_yet_valid;
  for (std::size_t i = 0; i < certificate.chain.size(); ++i) {
    const Parsed each(certificate.chain[i]);
    if (early ? each.not_before() <= certificate.unix_seconds : each.not_after() >= certificate.unix_seconds) continue;
    const std::string what =
        early ? "is not valid before " + date_text(each.not_before()) : "expired on " + date_text(each.not_after());
    return i == 0 ? what : "has an issuer (" + quoted(each.subject()) + ") whose certificate " + what;
  }
  return early ? "has an issuer whose certificate is not valid yet" : "has an issuer whose certificate has expired";
}

std::string issuer_fault_text(const JudgedCertificate& certificate) {
  std::string text = "is of an unknown authority";
  if (certificate.chain.empty()) return text;
  const std::string issuer = Parsed(certificate.chain.back()).issuer();
  return issuer.empty() ? text : text + " (issuer " + quoted(issuer) + ")";
}

std::string name_fault_text(const JudgedCertificate& certificate) {
  std::string text =
      "does not name " + quoted(shown(certificate.server_name, kNameShownBytes)) + " in its subjectAltName, but";
  std::size_t count = 0;
  for (const std::string& name : host_names(certificate.chain.front())) {
    if (++count > kNamesShown) continue;
    text += count == 1 ? " " : ", ";
    text += shown(name, kNameShownBytes);
  }
  if (count > kNamesShown) text += " and " + std::to_string(count - kNamesShown) + " more";
  return text;
}

/// As GnuTLS has it: "The certificate is NOT trusted. The certificate chain uses insecure algorithm."
std::string gnutls_text(unsigned status) {
  Freed text;
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text.datum, 0) < 0) return {};
  std::string result(reinterpret_cast<const char*>(text.datum.data));
  while (!result.empty() && (result.back() == ' ' || result.back() == '.')) result.pop_back();
  return result;
}

}  // namespace

std::string fault_text(const JudgedCertificate& certificate) {
  switch (certificate.fault) {
    case CertificateFault::unknown_issuer:
      return issuer_fault_text(certificate);
    case CertificateFault::expired:
    case CertificateFault::not_yet_valid:
      return date_fault_text(certificate);
    case CertificateFault::wrong_purpose:
      return certificate.of_server ? "is not meant for a server (extended key usage)"
                                   : "is not meant for a client (extended key usage)";
    case CertificateFault::wrong_name:
      return name_fault_text(certificate);
    case CertificateFault::nameless:
      return "names no host in its subjectAltName, so not " + quoted(shown(certificate.server_name, kNameShownBytes));
    case CertificateFault::revoked:
      return "is revoked";
    default:
      return "is not accepted: " + gnutls_text(certificate.status);
  }
}

}  // namespace qmux::quic

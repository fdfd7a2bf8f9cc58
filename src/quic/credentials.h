// SPDX-License-Identifier: MIT
//
// Keys and certificates of a process, loaded once and shared read-only by every connection of every worker.
#pragma once

#include <gnutls/gnutls.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "quic/own_certificate.h"

namespace qmux::quic {

/// Paths of PEM files; an empty path means none.
struct CredentialFiles {
  std::string certificate;  ///< own certificate, with its chain
  std::string key;          ///< its private key
  std::string trust;        ///< certificates of the authorities that vouch for the peer
  std::string secret{};     ///< what secret() follows from, no PEM; none: the private key
};

/// Of a certificate: from when to when its peers accept it, in seconds since 1970.
struct Validity {
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};

class Credentials {
 public:
  /// Reads and checks the files: that they can be read, hold what they should, that the key belongs to the certificate and is of
  /// a kind that TLS 1.3 has, and that the certificate is fit for `purpose`. Errors name the file. Dates are not judged: see
  /// validity().
  enum class Purpose : unsigned char { server, client };
  /// `schemes`: the end of a GnuTLS priority string, to narrow which signatures this side makes and takes.
  [[nodiscard]] static Result<std::unique_ptr<Credentials>> load(const CredentialFiles& files, Purpose purpose,
                                                                 std::string_view schemes = {});

  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials();

  [[nodiscard]] gnutls_certificate_credentials_t raw() const noexcept { return raw_; }
  [[nodiscard]] gnutls_priority_t priority() const noexcept { return priority_; }
  /// 32 bytes that depend on CredentialFiles::secret or else on the private key alone: what outlives a restart (stateless reset,
  /// tokens) derives from them.
  [[nodiscard]] ConstBytes secret() const noexcept { return secret_; }
  /// Shows nothing when `files` named none.
  [[nodiscard]] const OwnCertificate& own_certificate() const noexcept { return own_certificate_; }
  /// Of the own certificate; nothing without one.
  [[nodiscard]] const std::optional<Validity>& validity() const noexcept { return validity_; }

 private:
  Credentials() = default;
  gnutls_certificate_credentials_t raw_ = nullptr;
  gnutls_priority_t priority_ = nullptr;
  OwnCertificate own_certificate_;
  std::vector<std::byte> secret_;
  std::optional<Validity> validity_;
};

}  // namespace qmux::quic

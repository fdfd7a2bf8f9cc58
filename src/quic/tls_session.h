// SPDX-License-Identifier: MIT
//
// The TLS 1.3 half of a QUIC connection (RFC 9001): GnuTLS set up the one way we allow.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <memory>
#include <string>
#include <utility>

#include "quic/certificate_fault.h"
#include "quic/credentials.h"
#include "quic/server_name.h"

namespace qmux::quic {

class TlsSession;

/// What GnuTLS keeps with a session for its callbacks: ngtcp2 finds the connection by it, we the TlsSession.
struct TlsLink : ngtcp2_crypto_conn_ref {
  TlsSession* tls = nullptr;
};

class TlsSession {
 public:
  /// `link` outlives the session. nullptr: GnuTLS refused.
  /// Server: demands a certificate fit for clientAuth; takes ALPN "qmux/1" or none, refuses any other.
  [[nodiscard]] static std::unique_ptr<TlsSession> server(std::shared_ptr<const Credentials> credentials,
                                                          TlsLink& link);
  /// Client: verifies chain, serverAuth and `server_name` (server_name.h); offers ALPN "qmux/1".
  [[nodiscard]] static std::unique_ptr<TlsSession> client(std::shared_ptr<const Credentials> credentials,
                                                          const std::string& server_name, TlsLink& link);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  /// GnuTLS's retrieve function, for Credentials: the peer is to see our certificate.
  static int show_own_certificate(gnutls_session_t session, const gnutls_cert_retr_st* request, gnutls_pcert_st** chain,
                                  unsigned* length, gnutls_ocsp_data_st** ocsp, unsigned* ocsp_length,
                                  gnutls_privkey_t* key, unsigned* flags);

  [[nodiscard]] gnutls_session_t raw() const noexcept { return session_; }
  /// Why the peer's certificate is not accepted; `none` when it is, or was not seen.
  [[nodiscard]] CertificateFault verification_fault() const noexcept;
  /// The same as text (certificate_text.h), at a time in seconds since 1970.
  [[nodiscard]] std::string verification_failure(std::int64_t unix_seconds) const;
  /// The alert that names that reason (RFC 8446 section 6.2); `otherwise` when GnuTLS's choice is as good.
  [[nodiscard]] std::uint8_t verification_alert(std::uint8_t otherwise) const noexcept;
  /// Why the peer cannot take our certificate, as far as it has said what it takes: OwnCertificate::refusal().
  [[nodiscard]] std::string own_certificate_refusal() const;
  [[nodiscard]] std::string peer_common_name() const;
  [[nodiscard]] std::string application_protocol() const;

 private:
  explicit TlsSession(std::shared_ptr<const Credentials> credentials) noexcept : credentials_(std::move(credentials)) {}
  bool start(unsigned flags, TlsLink& link);
  /// Judges the peer's certificate, as GnuTLS asks for it in the handshake; 0 or an error of GnuTLS.
  int verify_peer();

  const std::shared_ptr<const Credentials> credentials_;
  gnutls_session_t session_ = nullptr;
  bool client_ = false;
  std::string server_name_;     ///< of a client alone
  unsigned verify_status_ = 0;  ///< bits of gnutls_certificate_status_t
  NameMatch name_match_ = NameMatch::matches;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/tls_session.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <utility>

#include "base/address.h"
#include "quic/certificate_text.h"

namespace qmux::quic {
namespace {

constexpr char kAlpn[] = "qmux/1";

/// Lends GnuTLS a string that it does not change but takes as a pointer to mutable bytes.
unsigned char* borrowed(const char* text) { return reinterpret_cast<unsigned char*>(const_cast<char*>(text)); }

/// The TlsSession of this GnuTLS session.
TlsSession& of(gnutls_session_t session) {
  auto* const conn_ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return *static_cast<TlsLink*>(conn_ref)->tls;
}

}  // namespace

TlsSession::~TlsSession() {
  if (session_ != nullptr) gnutls_deinit(session_);
}

bool TlsSession::start(unsigned flags, TlsLink& link) {
  if (gnutls_init(&session_, flags) != GNUTLS_E_SUCCESS) {
    session_ = nullptr;
    return false;
  }
  if (gnutls_priority_set(session_, credentials_->priority()) != GNUTLS_E_SUCCESS) return false;
  link.tls = this;
  gnutls_session_set_ptr(session_, static_cast<ngtcp2_crypto_conn_ref*>(&link));
  gnutls_session_set_verify_function(session_, [](gnutls_session_t session) { return of(session).verify_peer(); });
  return gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_->raw()) == GNUTLS_E_SUCCESS;
}

std::unique_ptr<TlsSession> TlsSession::server(std::shared_ptr<const Credentials> credentials, TlsLink& link) {
  std::unique_ptr<TlsSession> tls(new TlsSession(std::move(credentials)));
  if (!tls->start(GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_END_OF_EARLY_DATA, link)) {
    return nullptr;
  }
  if (ngtcp2_crypto_gnutls_configure_server_session(tls->session_) != 0) return nullptr;

  // A client that names protocols must name ours; the programs of version 1.0 name none.
  const gnutls_datum_t alpn{borrowed(kAlpn), sizeof kAlpn - 1};
  if (gnutls_alpn_set_protocols(tls->session_, &alpn, 1, GNUTLS_ALPN_MANDATORY) != GNUTLS_E_SUCCESS) return nullptr;

  gnutls_certificate_server_set_request(tls->session_, GNUTLS_CERT_REQUIRE);
  // Without a list of authorities: a client has one certificate, and would only withhold it if the list lacked its issuer. A
  // long list can be more than a client takes: 16 KiB in the Go programs.
  constexpr int kNoAuthorities = 1;
  gnutls_certificate_send_x509_rdn_sequence(tls->session_, kNoAuthorities);
  return tls;
}

std::unique_ptr<TlsSession> TlsSession::client(std::shared_ptr<const Credentials> credentials,
                                               const std::string& server_name, TlsLink& link) {
  std::unique_ptr<TlsSession> tls(new TlsSession(std::move(credentials)));
  tls->client_ = true;
  tls->server_name_ = server_name;
  if (!tls->start(GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA, link)) return nullptr;
  if (ngtcp2_crypto_gnutls_configure_client_session(tls->session_) != 0) return nullptr;

  const gnutls_datum_t alpn{borrowed(kAlpn), sizeof kAlpn - 1};
  if (gnutls_alpn_set_protocols(tls->session_, &alpn, 1, 0) != GNUTLS_E_SUCCESS) return nullptr;

  // RFC 6066 section 3: an IP literal is no server name.
  if (!Address::from_literal(server_name, 0) &&
      gnutls_server_name_set(tls->session_, GNUTLS_NAME_DNS, server_name.data(), server_name.size()) !=
          GNUTLS_E_SUCCESS) {
    return nullptr;
  }
  return tls;
}

int TlsSession::show_own_certificate(gnutls_session_t session, const gnutls_cert_retr_st* /*request*/,
                                     gnutls_pcert_st** chain, unsigned* length, gnutls_ocsp_data_st** /*ocsp*/,
                                     unsigned* /*ocsp_length*/, gnutls_privkey_t* key, unsigned* /*flags*/) {
  of(session).credentials_->own_certificate().show(*chain, *length, *key);
  return 0;
}

int TlsSession::verify_peer() {
  // Without the purpose GnuTLS would accept a server's certificate from a client. The name is for us to check: GnuTLS would
  // fall back on the common name.
  const char* const peer_purpose = client_ ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
  gnutls_typed_vdata_st purpose{GNUTLS_DT_KEY_PURPOSE_OID, borrowed(peer_purpose), 0};
  if (const int error = gnutls_certificate_verify_peers(session_, &purpose, 1, &verify_status_); error < 0)
    return error;
  if (client_) {
    unsigned count = 0;
    const gnutls_datum_t* const chain = gnutls_certificate_get_peers(session_, &count);
    name_match_ = count > 0 ? match_server_name(chain[0], server_name_) : NameMatch::nameless;
    if (name_match_ != NameMatch::matches) verify_status_ |= GNUTLS_CERT_UNEXPECTED_OWNER | GNUTLS_CERT_INVALID;
  }
  return verify_status_ == 0 ? GNUTLS_E_SUCCESS : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

CertificateFault TlsSession::verification_fault() const noexcept {
  return fault_of_status(verify_status_, name_match_);
}

std::string TlsSession::verification_failure(std::int64_t unix_seconds) const {
  if (verify_status_ == 0) return {};
  unsigned count = 0;
  const gnutls_datum_t* const chain = gnutls_certificate_get_peers(session_, &count);
  return fault_text({.chain = {chain, chain != nullptr ? count : 0},
                     .fault = verification_fault(),
                     .status = verify_status_,
                     .of_server = client_,
                     .server_name = server_name_,
                     .unix_seconds = unix_seconds});
}

std::uint8_t TlsSession::verification_alert(std::uint8_t otherwise) const noexcept {
  return alert_of_fault(verification_fault(), otherwise);
}

std::string TlsSession::own_certificate_refusal() const {
  return credentials_->own_certificate().refusal(session_, client_ ? "server" : "client");
}

std::string TlsSession::peer_common_name() const {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session_, &count);
  if (chain == nullptr || count == 0) return {};
  gnutls_x509_crt_t certificate = nullptr;
  if (gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS) return {};
  std::string name;
  if (gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS) {
    std::array<char, 256> text{};
    std::size_t length = text.size();
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text.data(), &length) ==
        GNUTLS_E_SUCCESS) {
      name.assign(text.data(), length);
    }
  }
  gnutls_x509_crt_deinit(certificate);
  return name;
}

std::string TlsSession::application_protocol() const {
  gnutls_datum_t protocol{};
  if (gnutls_alpn_get_selected_protocol(session_, &protocol) != GNUTLS_E_SUCCESS) return {};
  return {reinterpret_cast<const char*>(protocol.data), protocol.size};
}

}  // namespace qmux::quic

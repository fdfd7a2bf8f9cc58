// SPDX-License-Identifier: MIT
//
// The certificate that a program shows to its peers, with its chain and its key.
//
// GnuTLS asks it what to show (gnutls_certificate_set_retrieve_function3). Left to itself, GnuTLS 3.7 shows the certificate of
// a client only if the server names an issuer of the chain and, by a scheme of any TLS version, the algorithm of the key:
// servers that name RSA-PSS schemes alone, as TLS 1.3 has it, then get none with an RSA key. A program has one certificate, so
// it shows that one; GnuTLS then picks the scheme, or shows nothing if the peer takes none that the key can sign with.
//
// Loaded once, then read by every thread.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace qmux::quic {

class OwnCertificate {
 public:
  struct Files {
    const std::string& certificate;
    const std::string& key;
  };

  OwnCertificate() = default;
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;

  /// Puts chain and key, both PEM, into `credentials`, which own them from then on and outlive this. Refused, with the file: a
  /// key that does not belong to the first certificate, and a kind of key that no peer takes in TLS 1.3.
  [[nodiscard]] Result<void> load(const gnutls_datum_t& chain, const gnutls_datum_t& key, const Files& files,
                                  gnutls_certificate_credentials_t credentials);

  /// For GnuTLS's retrieve function, which is to free nothing. A chain of length 0: there is no certificate.
  void show(gnutls_pcert_st*& chain, unsigned& length, gnutls_privkey_t& key) const noexcept;

  /// Why the session's peer cannot take it: the peer named schemes, and the key signs with none of them. Empty if it can, if it
  /// has named none yet, and without a certificate. `peer` is what to call it.
  [[nodiscard]] std::string refusal(gnutls_session_t session, std::string_view peer) const;

 private:
  std::vector<gnutls_pcert_st> chain_;  ///< what it points to belongs to the credentials, and so does the key
  gnutls_privkey_t key_ = nullptr;
  std::vector<gnutls_sign_algorithm_t> schemes_;
  std::string kind_;
};

}  // namespace qmux::quic

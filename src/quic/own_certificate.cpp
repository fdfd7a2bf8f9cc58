// SPDX-License-Identifier: MIT
#include "quic/own_certificate.h"

#include <gnutls/x509.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "quic/limits.h"
#include "quic/signature_schemes.h"

namespace qmux::quic {
namespace {

constexpr char kKindsThatWork[] = "an RSA key of 2048 bits or more, or one for ECDSA (P-256, P-384, P-521) or Ed25519";

using PrivateKey = std::unique_ptr<gnutls_privkey_st, decltype(&gnutls_privkey_deinit)>;

/// Certificates until the credentials own them.
class Chain {
 public:
  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() {
    for (gnutls_pcert_st& certificate : certificates_) gnutls_pcert_deinit(&certificate);
  }
  /// In the order of the file: which of them lead to an authority that it trusts is for the peer to find out.
  int import(const gnutls_datum_t& pem) {
    certificates_.resize(limits::kChainCertificatesMax);
    auto count = static_cast<unsigned>(certificates_.size());
    const int status = gnutls_pcert_list_import_x509_raw(certificates_.data(), &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    certificates_.resize(status < 0 ? 0 : count);
    return status;
  }
  std::vector<gnutls_pcert_st>& certificates() noexcept { return certificates_; }
  std::vector<gnutls_pcert_st> release() noexcept { return std::exchange(certificates_, {}); }

 private:
  std::vector<gnutls_pcert_st> certificates_;
};

Result<void> import_chain(Chain& chain, const gnutls_datum_t& pem, const std::string& file) {
  const int status = chain.import(pem);
  if (status >= 0) return {};
  if (status == GNUTLS_E_ECC_UNSUPPORTED_CURVE || status == GNUTLS_E_UNKNOWN_PK_ALGORITHM ||
      status == GNUTLS_E_UNIMPLEMENTED_FEATURE) {
    return fail(std::string("holds a certificate whose key is of an unknown kind: ") + gnutls_strerror(status), file,
                kKindsThatWork);
  }
  return fail(std::string("holds a certificate that cannot be used: ") + gnutls_strerror(status), file);
}

Result<PrivateKey> import_key(const gnutls_datum_t& pem, const std::string& file) {
  gnutls_privkey_t raw = nullptr;
  if (gnutls_privkey_init(&raw) < 0) return fail("out of memory");
  PrivateKey key(raw, &gnutls_privkey_deinit);
  if (const int status = gnutls_privkey_import_x509_raw(raw, &pem, GNUTLS_X509_FMT_PEM, nullptr, 0); status < 0) {
    return fail(std::string("holds no private key that can be read: ") + gnutls_strerror(status), file,
                "a PEM private key without password");
  }
  return key;
}

std::unexpected<Error> does_not_belong(const OwnCertificate::Files& files) {
  return fail("the private key does not belong to the certificate " + files.certificate, files.key,
              "the key that was made with that certificate");
}

/// Whether a peer can take a key of that kind and size.
Result<void> check_kind(gnutls_pubkey_t public_key, const std::string& file) {
  if (!has_scheme(public_key)) {
    return fail("the certificate's key is of a kind that cannot sign in TLS 1.3: " + key_kind(public_key), file,
                kKindsThatWork);
  }
  unsigned bits = 0;
  const int algorithm = gnutls_pubkey_get_pk_algorithm(public_key, &bits);
  const bool rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS;
  if (rsa && bits < limits::kRsaKeyBitsMin) {
    return fail("the certificate's RSA key has " + std::to_string(bits) + " bits, too few for any peer", file,
                kKindsThatWork);
  }
  return {};
}

}  // namespace

Result<void> OwnCertificate::load(const gnutls_datum_t& chain, const gnutls_datum_t& key, const Files& files,
                                  gnutls_certificate_credentials_t credentials) {
  Chain certificates;
  if (auto imported = import_chain(certificates, chain, files.certificate); !imported) return imported;
  gnutls_pcert_st* const list = certificates.certificates().data();
  const auto length = static_cast<int>(certificates.certificates().size());
  if (auto checked = check_kind(list->pubkey, files.certificate); !checked) return checked;
  auto private_key = import_key(key, files.key);
  if (!private_key) return std::unexpected(private_key.error());

  const int status = gnutls_certificate_set_key(credentials, nullptr, 0, list, length, private_key->get());
  if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) return does_not_belong(files);
  if (status < 0) return fail(std::string("cannot be used: ") + gnutls_strerror(status), files.certificate);
  chain_ = certificates.release();
  key_ = private_key->release();
  kind_ = key_kind(chain_.front().pubkey);

  SigningTrial trial = try_schemes(chain_.front().pubkey, key_);
  if (trial.mismatch) return does_not_belong(files);
  if (trial.schemes.empty()) return fail("the private key cannot sign in TLS 1.3: " + kind_, files.key, kKindsThatWork);
  schemes_ = std::move(trial.schemes);
  return {};
}

void OwnCertificate::show(gnutls_pcert_st*& chain, unsigned& length, gnutls_privkey_t& key) const noexcept {
  // GnuTLS only reads what it is not asked to free; its type cannot say so.
  chain = const_cast<gnutls_pcert_st*>(chain_.data());
  length = static_cast<unsigned>(chain_.size());
  key = key_;
}

std::string OwnCertificate::refusal(gnutls_session_t session, std::string_view peer) const {
  if (chain_.empty()) return {};
  std::vector<gnutls_sign_algorithm_t> taken;
  gnutls_sign_algorithm_t scheme{};
  while (gnutls_sign_algorithm_get_requested(session, taken.size(), &scheme) == GNUTLS_E_SUCCESS) {
    if (std::ranges::find(schemes_, scheme) != schemes_.end()) return {};
    taken.push_back(scheme);
  }
  if (taken.empty()) return {};
  const std::string kinds = kinds_of_keys(taken);
  return "the " + std::string(peer) + " takes no certificate with a key of the kind " + kind_ + ": it takes " +
         (kinds.empty() ? "no kind that is known here" : kinds);
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "quic/signature_schemes.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace qmux::quic {
namespace {

struct Scheme {
  gnutls_sign_algorithm_t id;
  gnutls_pk_algorithm_t key;
  gnutls_ecc_curve_t curve;  ///< of an ECDSA key: TLS 1.3 binds the hash to it
  std::string_view kind;
};

constexpr auto kNoCurve = GNUTLS_ECC_CURVE_INVALID;
constexpr auto kSchemes = std::to_array<Scheme>({
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, kNoCurve, "RSA"},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_PK_RSA, kNoCurve, "RSA"},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, kNoCurve, "RSA"},
    {GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_PK_RSA_PSS, kNoCurve, "RSA-PSS"},
    {GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_PK_RSA_PSS, kNoCurve, "RSA-PSS"},
    {GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_PK_RSA_PSS, kNoCurve, "RSA-PSS"},
    {GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1, "ECDSA P-256"},
    {GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1, "ECDSA P-384"},
    {GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP521R1, "ECDSA P-521"},
    {GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_PK_EDDSA_ED25519, kNoCurve, "Ed25519"},
    {GNUTLS_SIGN_EDDSA_ED448, GNUTLS_PK_EDDSA_ED448, kNoCurve, "Ed448"},
});

gnutls_pk_algorithm_t algorithm_of(gnutls_pubkey_t key) {
  return static_cast<gnutls_pk_algorithm_t>(gnutls_pubkey_get_pk_algorithm(key, nullptr));
}

gnutls_ecc_curve_t curve_of(gnutls_pubkey_t key) {
  gnutls_ecc_curve_t curve = kNoCurve;
  return gnutls_pubkey_export_ecc_raw2(key, &curve, nullptr, nullptr, 0) >= 0 ? curve : kNoCurve;
}

bool goes_with(const Scheme& scheme, gnutls_pubkey_t key) {
  return scheme.key == algorithm_of(key) && (scheme.curve == kNoCurve || scheme.curve == curve_of(key));
}

}  // namespace

bool has_scheme(gnutls_pubkey_t key) {
  return std::ranges::any_of(kSchemes, [&](const Scheme& scheme) { return goes_with(scheme, key); });
}

std::string key_kind(gnutls_pubkey_t key) {
  for (const Scheme& scheme : kSchemes) {
    if (goes_with(scheme, key)) return std::string(scheme.kind);
  }
  if (algorithm_of(key) == GNUTLS_PK_ECDSA) {
    const char* const curve = gnutls_ecc_curve_get_name(curve_of(key));
    return std::string("ECDSA ") + (curve != nullptr ? curve : "on an unknown curve");
  }
  const char* const name = gnutls_pk_get_name(algorithm_of(key));
  return name != nullptr ? name : "unknown";
}

SigningTrial try_schemes(gnutls_pubkey_t public_key, gnutls_privkey_t private_key) {
  unsigned char text[] = "a text to sign";
  const gnutls_datum_t data{text, sizeof text};
  SigningTrial trial;
  for (const Scheme& scheme : kSchemes) {
    gnutls_datum_t signature{};
    if (!goes_with(scheme, public_key) || gnutls_privkey_sign_data2(private_key, scheme.id, 0, &data, &signature) < 0) {
      continue;
    }
    const int verified = gnutls_pubkey_verify_data2(public_key, scheme.id, 0, &data, &signature);
    if (verified >= 0) trial.schemes.push_back(scheme.id);
    // Any other error is of a scheme that the certificate rules out for its key.
    if (verified == GNUTLS_E_PK_SIG_VERIFY_FAILED) trial.mismatch = true;
    gnutls_free(signature.data);
  }
  return trial;
}

std::string kinds_of_keys(std::span<const gnutls_sign_algorithm_t> schemes) {
  std::string kinds;
  std::string_view last;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.kind == last || std::ranges::find(schemes, scheme.id) == schemes.end()) continue;
    last = scheme.kind;
    if (!kinds.empty()) kinds += ", ";
    kinds += last;
  }
  return kinds;
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "app/certs/ecdsa_key_pem.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "app/certs/gnutls_handle.h"
#include "base/check.h"

namespace qmux::app {
namespace {

constexpr std::size_t kScalarBytes = 32;

// With a curve's lengths fixed, everything around the three numbers is constant: PrivateKeyInfo (RFC 5208 section 5) with
// id-ecPublicKey and prime256v1, holding an ECPrivateKey (RFC 5915 section 3) ...
constexpr auto kBeforePrivateValue = std::to_array<unsigned char>(
    {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
     0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20});
// ... whose public key is an uncompressed point.
constexpr auto kBeforePoint = std::to_array<unsigned char>({0xa1, 0x44, 0x03, 0x42, 0x00, 0x04});

constexpr std::size_t kPrivateValueAt = kBeforePrivateValue.size();
constexpr std::size_t kPointAt = kPrivateValueAt + kScalarBytes + kBeforePoint.size();
using Encoding = std::array<unsigned char, kPointAt + 2 * kScalarBytes>;

/// Right-aligned, without the sign's zero byte; frees what GnuTLS allocated.
void take_number(gnutls_datum_t& number, std::span<unsigned char, kScalarBytes> into) {
  std::string bytes = take_datum(number);
  std::string_view digits = bytes;
  digits.remove_prefix(std::min(digits.find_first_not_of('\0'), digits.size()));
  CHECK(digits.size() <= into.size());
  std::ranges::copy(digits, into.last(digits.size()).begin());
  gnutls_memset(bytes.data(), 0, bytes.size());
}

}  // namespace

std::string p256_private_key_pem(gnutls_x509_privkey_t key) {
  gnutls_ecc_curve_t curve{};
  gnutls_datum_t x{};
  gnutls_datum_t y{};
  gnutls_datum_t private_value{};
  CHECK(gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &private_value) == GNUTLS_E_SUCCESS);
  CHECK(curve == GNUTLS_ECC_CURVE_SECP256R1);

  Encoding encoding{};
  const std::span<unsigned char, encoding.size()> all(encoding);
  std::ranges::copy(kBeforePrivateValue, all.begin());
  take_number(private_value, all.subspan<kPrivateValueAt, kScalarBytes>());
  std::ranges::copy(kBeforePoint, all.subspan<kPrivateValueAt + kScalarBytes>().begin());
  take_number(x, all.subspan<kPointAt, kScalarBytes>());
  take_number(y, all.subspan<kPointAt + kScalarBytes, kScalarBytes>());

  const gnutls_datum_t der{encoding.data(), static_cast<unsigned>(encoding.size())};
  gnutls_datum_t pem{};
  CHECK(gnutls_pem_base64_encode2("PRIVATE KEY", &der, &pem) == GNUTLS_E_SUCCESS);
  gnutls_memset(encoding.data(), 0, encoding.size());
  return take_datum(pem);
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/demo/sha256.h"

#include <array>
#include <span>

#include "base/check.h"
#include "base/printable.h"

namespace qmux::app {

Sha256::Sha256() { CHECK(gnutls_hash_init(&hash_, GNUTLS_DIG_SHA256) == 0); }

Sha256::~Sha256() { gnutls_hash_deinit(hash_, nullptr); }

void Sha256::add(std::span<const std::byte> bytes) { gnutls_hash(hash_, bytes.data(), bytes.size()); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest;
  gnutls_hash_output(hash_, digest.data());
  return qmux::hex(std::as_bytes(std::span(digest)));
}

}  // namespace qmux::app

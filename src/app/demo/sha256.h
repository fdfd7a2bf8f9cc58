// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/crypto.h>

#include <cstddef>
#include <span>
#include <string>

namespace qmux::app {

/// SHA-256 of bytes added in parts. One owner, one thread.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void add(std::span<const std::byte> bytes);
  /// Of what was added since the last call, in hexadecimal.
  [[nodiscard]] std::string hex();

 private:
  gnutls_hash_hd_t hash_{};
};

}  // namespace qmux::app

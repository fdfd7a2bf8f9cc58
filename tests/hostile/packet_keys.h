// SPDX-License-Identifier: MIT
//
// Packet protection (RFC 9001 section 5) for one direction at one level, with AES-128-GCM and SHA-256: all that the hostile
// peer negotiates. On GnuTLS alone, so that what it does is independent of the library under test.
#pragma once

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/bytes.h"

namespace qmux::hostile {

/// Every packet number is written in four bytes.
inline constexpr std::size_t kPacketNumberBytes = 4;
inline constexpr std::size_t kTagBytes = 16;

class PacketKeys {
 public:
  /// From a traffic secret of TLS.
  explicit PacketKeys(ConstBytes secret);
  /// Of Initial packets, by the destination ID of the client's first one (RFC 9001 section 5.2).
  [[nodiscard]] static PacketKeys initial(ConstBytes client_dcid, bool sent_by_server);

  /// The next generation of keys (RFC 9001 section 6).
  void update();

  /// Protects a packet: a header that ends with the packet number, and the frames.
  [[nodiscard]] std::vector<std::byte> protect(ConstBytes header, std::uint64_t number, ConstBytes frames) const;

  struct Opened {
    std::uint64_t number = 0;
    std::uint8_t first_byte = 0;
    std::vector<std::byte> frames;
  };
  /// Opens a packet whose number begins at `number_at` and is near `expected`; nullopt: it is not protected by these keys.
  [[nodiscard]] std::optional<Opened> open(ConstBytes packet, std::size_t number_at, std::uint64_t expected) const;

 private:
  struct AeadDeleter {
    void operator()(std::remove_pointer_t<gnutls_aead_cipher_hd_t>* handle) const noexcept {
      gnutls_aead_cipher_deinit(handle);
    }
  };
  struct CipherDeleter {
    void operator()(std::remove_pointer_t<gnutls_cipher_hd_t>* handle) const noexcept { gnutls_cipher_deinit(handle); }
  };
  void derive_packet_key();
  [[nodiscard]] std::vector<std::byte> nonce(std::uint64_t number) const;
  [[nodiscard]] std::vector<std::byte> mask(ConstBytes sample) const;

  std::vector<std::byte> secret_;
  std::vector<std::byte> iv_;
  std::unique_ptr<std::remove_pointer_t<gnutls_aead_cipher_hd_t>, AeadDeleter> aead_;
  std::unique_ptr<std::remove_pointer_t<gnutls_cipher_hd_t>, CipherDeleter> header_cipher_;
};

}  // namespace qmux::hostile

// SPDX-License-Identifier: MIT
#include "hostile/packet_keys.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace qmux::hostile {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kSampleBytes = 16;

gnutls_datum_t datum(ConstBytes bytes) {
  return {const_cast<unsigned char*>(as_octets(bytes)), static_cast<unsigned>(bytes.size())};
}

/// HKDF-Expand-Label (RFC 8446 section 7.1) without context.
std::vector<std::byte> expand(ConstBytes secret, std::string_view label, std::size_t length) {
  std::vector<std::byte> info = {std::byte{0}, static_cast<std::byte>(length)};
  const std::string name = "tls13 " + std::string(label);
  info.push_back(static_cast<std::byte>(name.size()));
  const ConstBytes name_bytes = as_bytes(name);
  info.insert(info.end(), name_bytes.begin(), name_bytes.end());
  info.push_back(std::byte{0});
  std::vector<std::byte> out(length);
  const gnutls_datum_t key = datum(secret);
  const gnutls_datum_t context = datum(info);
  CHECK(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &context, out.data(), length) == 0);
  return out;
}

/// The packet number nearest to the expected one that ends with these bits (RFC 9000 appendix A.3).
std::uint64_t complete_number(std::uint64_t cut, std::size_t bits, std::uint64_t expected) {
  const std::uint64_t window = std::uint64_t{1} << bits;
  const std::uint64_t candidate = (expected & ~(window - 1)) | cut;
  if (candidate + window / 2 <= expected) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

}  // namespace

PacketKeys::PacketKeys(ConstBytes secret) : secret_(secret.begin(), secret.end()) {
  const std::vector<std::byte> key = expand(secret_, "quic hp", kKeyBytes);
  const std::array<std::byte, kSampleBytes> zero{};
  const gnutls_datum_t key_datum = datum(key);
  const gnutls_datum_t iv_datum = datum(zero);
  gnutls_cipher_hd_t handle = nullptr;
  CHECK(gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_128_CBC, &key_datum, &iv_datum) == 0);
  header_cipher_.reset(handle);
  derive_packet_key();
}

PacketKeys PacketKeys::initial(ConstBytes client_dcid, bool sent_by_server) {
  constexpr std::array<std::uint8_t, 20> kSalt = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                                  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
  std::array<std::byte, kHashBytes> secret;
  const gnutls_datum_t id = datum(client_dcid);
  const gnutls_datum_t salt = datum(std::as_bytes(std::span(kSalt)));
  CHECK(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &id, &salt, secret.data()) == 0);
  return PacketKeys(expand(secret, sent_by_server ? "server in" : "client in", kHashBytes));
}

void PacketKeys::derive_packet_key() {
  const std::vector<std::byte> key = expand(secret_, "quic key", kKeyBytes);
  iv_ = expand(secret_, "quic iv", kIvBytes);
  const gnutls_datum_t key_datum = datum(key);
  gnutls_aead_cipher_hd_t handle = nullptr;
  CHECK(gnutls_aead_cipher_init(&handle, GNUTLS_CIPHER_AES_128_GCM, &key_datum) == 0);
  aead_.reset(handle);
}

void PacketKeys::update() {
  secret_ = expand(secret_, "quic ku", kHashBytes);
  derive_packet_key();
}

std::vector<std::byte> PacketKeys::nonce(std::uint64_t number) const {
  std::vector<std::byte> nonce = iv_;
  for (std::size_t i = 0; i < 8; ++i) nonce[kIvBytes - 1 - i] ^= static_cast<std::byte>(number >> (8 * i));
  return nonce;
}

std::vector<std::byte> PacketKeys::mask(ConstBytes sample) const {
  // One block of AES: CBC with an initial vector of zeros.
  std::array<std::byte, kSampleBytes> zero{};
  std::vector<std::byte> out(kSampleBytes);
  gnutls_cipher_set_iv(header_cipher_.get(), zero.data(), zero.size());
  CHECK(gnutls_cipher_encrypt2(header_cipher_.get(), sample.data(), kSampleBytes, out.data(), out.size()) == 0);
  return out;
}

std::vector<std::byte> PacketKeys::protect(ConstBytes header, std::uint64_t number, ConstBytes frames) const {
  std::vector<std::byte> packet(header.begin(), header.end());
  packet.resize(header.size() + frames.size() + kTagBytes);
  std::size_t length = frames.size() + kTagBytes;
  const std::vector<std::byte> with = nonce(number);
  CHECK(gnutls_aead_cipher_encrypt(aead_.get(), with.data(), with.size(), header.data(), header.size(), kTagBytes,
                                   frames.data(), frames.size(), packet.data() + header.size(), &length) == 0);
  const std::size_t number_at = header.size() - kPacketNumberBytes;
  const std::vector<std::byte> bits = mask(ConstBytes(packet).subspan(number_at + 4, kSampleBytes));
  const bool is_long = (packet[0] & std::byte{0x80}) != std::byte{0};
  packet[0] ^= bits[0] & std::byte{is_long ? std::uint8_t{0x0f} : std::uint8_t{0x1f}};
  for (std::size_t i = 0; i < kPacketNumberBytes; ++i) packet[number_at + i] ^= bits[1 + i];
  return packet;
}

std::optional<PacketKeys::Opened> PacketKeys::open(ConstBytes packet, std::size_t number_at,
                                                   std::uint64_t expected) const {
  if (packet.size() < number_at + 4 + kSampleBytes) return std::nullopt;
  const std::vector<std::byte> bits = mask(packet.subspan(number_at + 4, kSampleBytes));
  const bool is_long = (packet[0] & std::byte{0x80}) != std::byte{0};
  std::vector<std::byte> header(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(number_at));
  header[0] ^= bits[0] & std::byte{is_long ? std::uint8_t{0x0f} : std::uint8_t{0x1f}};
  const std::size_t length = std::to_integer<std::size_t>(header[0] & std::byte{3}) + 1;
  Opened opened;
  for (std::size_t i = 0; i < length; ++i) {
    header.push_back(packet[number_at + i] ^ bits[1 + i]);
    opened.number = opened.number << 8U | std::to_integer<std::uint64_t>(header.back());
  }
  opened.number = complete_number(opened.number, 8 * length, expected);
  opened.first_byte = std::to_integer<std::uint8_t>(header[0]);
  const ConstBytes sealed = packet.subspan(number_at + length);
  opened.frames.resize(sealed.size());
  std::size_t opened_bytes = opened.frames.size();
  const std::vector<std::byte> with = nonce(opened.number);
  if (gnutls_aead_cipher_decrypt(aead_.get(), with.data(), with.size(), header.data(), header.size(), kTagBytes,
                                 sealed.data(), sealed.size(), opened.frames.data(), &opened_bytes) != 0) {
    return std::nullopt;
  }
  opened.frames.resize(opened_bytes);
  return opened;
}

}  // namespace qmux::hostile

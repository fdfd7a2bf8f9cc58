// SPDX-License-Identifier: MIT
//
// What ngtcp2 calls. Each callback notes what has happened and returns. From here only the user of datagrams is
// notified.
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstddef>
#include <cstdint>

namespace qmux::quic {

class Connection;

/// While it lives, what is encrypted and decrypted on this thread is that connection's: the only callbacks that do not
/// name their connection.
class CurrentConnection {
 public:
  explicit CurrentConnection(Connection& connection) noexcept : before_(current_) { current_ = &connection; }
  ~CurrentConnection() { current_ = before_; }
  CurrentConnection(const CurrentConnection&) = delete;
  CurrentConnection& operator=(const CurrentConnection&) = delete;
  [[nodiscard]] static Connection* current() noexcept { return current_; }

 private:
  static inline constinit thread_local Connection* current_ = nullptr;
  Connection* const before_;
};

struct ConnectionCallbacks {
  [[nodiscard]] static const ngtcp2_callbacks& server();
  [[nodiscard]] static const ngtcp2_callbacks& client();

 private:
  static ngtcp2_callbacks common();
  static int crypto_data(ngtcp2_conn* conn, ngtcp2_encryption_level level, std::uint64_t offset,
                         const std::uint8_t* data, std::size_t length, void* user) noexcept;
  static int encrypt(std::uint8_t* into, const ngtcp2_crypto_aead* aead, const ngtcp2_crypto_aead_ctx* context,
                     const std::uint8_t* plaintext, std::size_t length, const std::uint8_t* nonce,
                     std::size_t nonce_length, const std::uint8_t* header, std::size_t header_length) noexcept;
  static int decrypt(std::uint8_t* into, const ngtcp2_crypto_aead* aead, const ngtcp2_crypto_aead_ctx* context,
                     const std::uint8_t* ciphertext, std::size_t length, const std::uint8_t* nonce,
                     std::size_t nonce_length, const std::uint8_t* header, std::size_t header_length) noexcept;
  static void rand(std::uint8_t* into, std::size_t length, const ngtcp2_rand_ctx* context) noexcept;
  static int new_connection_id(ngtcp2_conn* conn, ngtcp2_cid* id, std::uint8_t* token, std::size_t length,
                               void* user) noexcept;
  static int remove_connection_id(ngtcp2_conn* conn, const ngtcp2_cid* id, void* user) noexcept;
  static int handshake_completed(ngtcp2_conn* conn, void* user) noexcept;
  static int stateless_reset(ngtcp2_conn* conn, const ngtcp2_pkt_stateless_reset* reset, void* user) noexcept;
  static int path_validated(ngtcp2_conn* conn, std::uint32_t flags, const ngtcp2_path* path,
                            const ngtcp2_path* old_path, ngtcp2_path_validation_result result, void* user) noexcept;
  static int new_token(ngtcp2_conn* conn, const std::uint8_t* token, std::size_t length, void* user) noexcept;
  static int stream_opened(ngtcp2_conn* conn, std::int64_t id, void* user) noexcept;
  static int stream_data(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t id, std::uint64_t offset,
                         const std::uint8_t* data, std::size_t length, void* user, void* stream) noexcept;
  static int stream_data_acknowledged(ngtcp2_conn* conn, std::int64_t id, std::uint64_t offset, std::uint64_t length,
                                      void* user, void* stream) noexcept;
  static int stream_closed(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t id, std::uint64_t code, void* user,
                           void* stream) noexcept;
  static int stream_reset(ngtcp2_conn* conn, std::int64_t id, std::uint64_t final_size, std::uint64_t code, void* user,
                          void* stream) noexcept;
  static int stream_credit(ngtcp2_conn* conn, std::int64_t id, std::uint64_t max_data, void* user,
                           void* stream) noexcept;
  static int more_streams(ngtcp2_conn* conn, std::uint64_t max_streams, void* user) noexcept;
  static int datagram_received(ngtcp2_conn* conn, std::uint32_t flags, const std::uint8_t* data, std::size_t length,
                               void* user) noexcept;
};

}  // namespace qmux::quic

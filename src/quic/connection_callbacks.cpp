// SPDX-License-Identifier: MIT
#include "quic/connection_callbacks.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <array>

#include "quic/ack_frame.h"
#include "quic/connection.h"
#include "quic/ngtcp2_types.h"

namespace qmux::quic {
namespace {

Connection& self(void* user) { return *static_cast<Connection*>(user); }
Stream& stream_of(void* stream) { return *static_cast<Stream*>(stream); }

/// Of a 1-RTT packet (RFC 9000 section 17.3).
bool is_short(const std::uint8_t* header) { return (header[0] & 0x80U) == 0; }

}  // namespace

ngtcp2_callbacks ConnectionCallbacks::common() {
  ngtcp2_callbacks callbacks{};
  callbacks.recv_crypto_data = crypto_data;
  callbacks.encrypt = encrypt;
  callbacks.decrypt = decrypt;
  callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb;
  callbacks.update_key = ngtcp2_crypto_update_key_cb;
  callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  callbacks.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  callbacks.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  callbacks.rand = rand;
  callbacks.get_new_connection_id = new_connection_id;
  callbacks.remove_connection_id = remove_connection_id;
  callbacks.handshake_completed = handshake_completed;
  callbacks.recv_stateless_reset = stateless_reset;
  callbacks.path_validation = path_validated;
  callbacks.stream_open = stream_opened;
  callbacks.recv_stream_data = stream_data;
  callbacks.acked_stream_data_offset = stream_data_acknowledged;
  callbacks.stream_close = stream_closed;
  callbacks.stream_reset = stream_reset;
  callbacks.extend_max_stream_data = stream_credit;
  callbacks.extend_max_local_streams_bidi = more_streams;
  callbacks.recv_datagram = datagram_received;
  return callbacks;
}

const ngtcp2_callbacks& ConnectionCallbacks::server() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks c = common();
    c.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    return c;
  }();
  return callbacks;
}

const ngtcp2_callbacks& ConnectionCallbacks::client() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks c = common();
    c.client_initial = ngtcp2_crypto_client_initial_cb;
    c.recv_retry = ngtcp2_crypto_recv_retry_cb;
    c.recv_new_token = new_token;
    return c;
  }();
  return callbacks;
}

int ConnectionCallbacks::crypto_data(ngtcp2_conn* conn, ngtcp2_encryption_level level, std::uint64_t offset,
                                     const std::uint8_t* data, std::size_t length, void* user) noexcept {
  if (level != NGTCP2_ENCRYPTION_LEVEL_1RTT) {
    return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, length, user);
  }
  // A client sends no TLS messages any more.
  Connection& connection = self(user);
  const bool allowed =
      !connection.server_ && connection.post_handshake_.accept_from_server(std::as_bytes(std::span(data, length)));
  if (allowed) return 0;
  ngtcp2_conn_set_tls_alert(conn, GNUTLS_A_UNEXPECTED_MESSAGE);
  return NGTCP2_ERR_CRYPTO;
}

int ConnectionCallbacks::encrypt(std::uint8_t* into, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plaintext,
                                 std::size_t length, const std::uint8_t* nonce, std::size_t nonce_length,
                                 const std::uint8_t* header, std::size_t header_length) noexcept {
  Connection* const connection = CurrentConnection::current();
  // Before, ngtcp2 computes the integrity tag of a Retry packet in the same way.
  if (connection != nullptr && connection->handshake_completed_ && is_short(header)) {
    // The header ends with the packet number, cut to some bytes (RFC 9000 section 17.1): one more than the last one's.
    std::uint64_t& number = connection->packet_number_;
    number += static_cast<std::uint8_t>(header[header_length - 1] - number);
  }
  return ngtcp2_crypto_encrypt_cb(into, aead, context, plaintext, length, nonce, nonce_length, header, header_length);
}

int ConnectionCallbacks::decrypt(std::uint8_t* into, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* ciphertext,
                                 std::size_t length, const std::uint8_t* nonce, std::size_t nonce_length,
                                 const std::uint8_t* header, std::size_t header_length) noexcept {
  const int error =
      ngtcp2_crypto_decrypt_cb(into, aead, context, ciphertext, length, nonce, nonce_length, header, header_length);
  Connection* const connection = CurrentConnection::current();
  if (error != 0 || connection == nullptr) return error;
  connection->answered_ = true;
  if (!is_short(header)) return 0;
  if (connection->received_packets_.newest(header, header_length)) connection->heard_ = true;
  if (connection->path_mtu_.watching()) {
    const ConstBytes frames = std::as_bytes(std::span(into, length - aead->max_overhead));
    if (const auto ack = AckFrame::find(frames)) connection->path_mtu_.ack_received(*ack);
  }
  return 0;
}

void ConnectionCallbacks::rand(std::uint8_t* into, std::size_t length, const ngtcp2_rand_ctx* context) noexcept {
  static_cast<Random*>(context->native_handle)->fill(std::as_writable_bytes(std::span(into, length)));
}

int ConnectionCallbacks::new_connection_id(ngtcp2_conn* /*conn*/, ngtcp2_cid* id, std::uint8_t* token,
                                           std::size_t length, void* user) noexcept {
  self(user).host_.make_connection_id(*id, length, self(user).local_,
                                      ResetToken(token, NGTCP2_STATELESS_RESET_TOKENLEN));
  self(user).add_route(*id);
  return 0;
}

int ConnectionCallbacks::remove_connection_id(ngtcp2_conn* /*conn*/, const ngtcp2_cid* id, void* user) noexcept {
  self(user).drop_route(*id);
  return 0;
}

int ConnectionCallbacks::handshake_completed(ngtcp2_conn* conn, void* user) noexcept {
  Connection& connection = self(user);
  connection.handshake_completed_ = true;
  if (connection.server_) {
    // Next time the client may come without proving its address again, even when we ask others to.
    std::array<std::uint8_t, 256> token;
    const std::size_t length = connection.host_.make_token(connection.remote_, token);
    if (length > 0 && ngtcp2_conn_submit_new_token(conn, token.data(), length) != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  return 0;
}

int ConnectionCallbacks::stateless_reset(ngtcp2_conn* /*conn*/, const ngtcp2_pkt_stateless_reset* /*reset*/,
                                         void* user) noexcept {
  self(user).stateless_reset_ = true;
  return 0;
}

int ConnectionCallbacks::path_validated(ngtcp2_conn* conn, std::uint32_t /*flags*/, const ngtcp2_path* /*path*/,
                                        const ngtcp2_path* /*old_path*/, ngtcp2_path_validation_result /*result*/,
                                        void* user) noexcept {
  Connection& connection = self(user);
  const ngtcp2_path* current = ngtcp2_conn_get_path(conn);
  const Address local = from_ngtcp2(current->local);
  const Address remote = from_ngtcp2(current->remote);
  if (local == connection.local_ && remote == connection.remote_) return 0;
  connection.local_ = local;
  connection.remote_ = remote;
  connection.path_mtu_.path_changed();
  return 0;
}

int ConnectionCallbacks::new_token(ngtcp2_conn* /*conn*/, const std::uint8_t* token, std::size_t length,
                                   void* user) noexcept {
  self(user).host_.token_received(std::as_bytes(std::span(token, length)));
  return 0;
}

int ConnectionCallbacks::stream_opened(ngtcp2_conn* /*conn*/, std::int64_t id, void* user) noexcept {
  Connection& connection = self(user);
  connection.opened_.push_back(&connection.add_stream(id));
  return 0;
}

int ConnectionCallbacks::stream_data(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t /*id*/,
                                     std::uint64_t /*offset*/, const std::uint8_t* data, std::size_t length, void* user,
                                     void* stream) noexcept {
  // The connection's credit goes back at once: bytes that are not consumed hold their own stream's credit and no other's.
  ngtcp2_conn_extend_max_offset(conn, length);
  self(user).data_heard_ = true;
  const bool fin = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
  if (stream != nullptr) stream_of(stream).receive(std::as_bytes(std::span(data, length)), fin);
  return 0;
}

int ConnectionCallbacks::stream_data_acknowledged(ngtcp2_conn* /*conn*/, std::int64_t /*id*/, std::uint64_t /*offset*/,
                                                  std::uint64_t length, void* /*user*/, void* stream) noexcept {
  if (stream != nullptr) stream_of(stream).acknowledged(static_cast<std::size_t>(length));
  return 0;
}

int ConnectionCallbacks::stream_closed(ngtcp2_conn* conn, std::uint32_t /*flags*/, std::int64_t id,
                                       std::uint64_t /*code*/, void* user, void* stream) noexcept {
  if (stream != nullptr) {
    self(user).schedule_.remove(stream_of(stream));
    stream_of(stream).closed();
  } else if (ngtcp2_conn_is_local_stream(conn, id) == 0) {
    ngtcp2_conn_extend_max_streams_bidi(conn, 1);
  }
  return 0;
}

int ConnectionCallbacks::stream_reset(ngtcp2_conn* /*conn*/, std::int64_t /*id*/, std::uint64_t /*final_size*/,
                                      std::uint64_t code, void* /*user*/, void* stream) noexcept {
  if (stream != nullptr) stream_of(stream).reset_by_peer(code);
  return 0;
}

int ConnectionCallbacks::stream_credit(ngtcp2_conn* /*conn*/, std::int64_t /*id*/, std::uint64_t /*max_data*/,
                                       void* /*user*/, void* stream) noexcept {
  if (stream != nullptr) stream_of(stream).credit_received();
  return 0;
}

int ConnectionCallbacks::more_streams(ngtcp2_conn* /*conn*/, std::uint64_t /*max_streams*/, void* user) noexcept {
  self(user).credit_arrived_ = true;
  return 0;
}

int ConnectionCallbacks::datagram_received(ngtcp2_conn* /*conn*/, std::uint32_t /*flags*/, const std::uint8_t* data,
                                           std::size_t length, void* user) noexcept {
  Connection& connection = self(user);
  connection.data_heard_ = true;
  if (connection.datagram_host_ == nullptr || !connection.handshake_completed_) {
    connection.host_.datagram_dropped();
  } else {
    connection.datagram_host_->datagram_received(std::as_bytes(std::span(data, length)));
  }
  return 0;
}

}  // namespace qmux::quic

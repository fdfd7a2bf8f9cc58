// SPDX-License-Identifier: MIT
#include "quic/tls_binding.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <cstdint>

namespace qmux::quic {
namespace {

constexpr int kTransportParameters = 0x39;  ///< number of the TLS extension (RFC 9001 section 8.2)

ngtcp2_conn* connection_of(gnutls_session_t session) {
  auto* const conn_ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return conn_ref->get_conn(conn_ref);
}

int secrets_made(gnutls_session_t session, gnutls_record_encryption_level_t tls_level, const void* receive,
                 const void* send, std::size_t length) {
  ngtcp2_conn* const conn = connection_of(session);
  const ngtcp2_encryption_level level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(tls_level);
  if (receive != nullptr &&
      ngtcp2_crypto_derive_and_install_rx_key(conn, nullptr, nullptr, nullptr, level,
                                              static_cast<const std::uint8_t*>(receive), length) != 0) {
    return -1;
  }
  if (send != nullptr && ngtcp2_crypto_derive_and_install_tx_key(conn, nullptr, nullptr, nullptr, level,
                                                                 static_cast<const std::uint8_t*>(send), length) != 0) {
    return -1;
  }
  return 0;
}

int message_made(gnutls_session_t session, gnutls_record_encryption_level_t tls_level,
                 gnutls_handshake_description_t type, const void* data, std::size_t length) {
  if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;  // QUIC has none (RFC 9001 section 8.4)
  ngtcp2_conn* const conn = connection_of(session);
  const int error =
      ngtcp2_conn_submit_crypto_data(conn, ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(tls_level),
                                     static_cast<const std::uint8_t*>(data), length);
  if (error == 0) return 0;
  ngtcp2_conn_set_tls_error(conn, error);
  return -1;
}

int alert_made(gnutls_session_t session, gnutls_record_encryption_level_t /*level*/, gnutls_alert_level_t /*severity*/,
               gnutls_alert_description_t alert) {
  ngtcp2_conn_set_tls_alert(connection_of(session), static_cast<std::uint8_t>(alert));
  return 0;
}

int parameters_received(gnutls_session_t session, const unsigned char* data, std::size_t length) {
  ngtcp2_conn* const conn = connection_of(session);
  // After a HelloRetryRequest the client says the same again (RFC 8446 section 4.1.2).
  if (ngtcp2_conn_get_remote_transport_params(conn) != nullptr) return 0;
  const int error = ngtcp2_conn_decode_and_set_remote_transport_params(conn, data, length);
  if (error == 0) return 0;
  ngtcp2_conn_set_tls_error(conn, error);
  return -1;
}

int parameters_wanted(gnutls_session_t session, gnutls_buffer_t into) {
  std::array<std::uint8_t, 512> bytes;
  const ngtcp2_ssize length =
      ngtcp2_conn_encode_local_transport_params(connection_of(session), bytes.data(), bytes.size());
  if (length < 0) return -1;
  const int error = gnutls_buffer_append_data(into, bytes.data(), static_cast<std::size_t>(length));
  return error == 0 ? static_cast<int>(length) : -1;
}

}  // namespace

bool bind_tls(gnutls_session_t session) {
  gnutls_handshake_set_secret_function(session, secrets_made);
  gnutls_handshake_set_read_function(session, message_made);
  gnutls_alert_set_read_function(session, alert_made);
  return gnutls_session_ext_register(session, "QUIC transport parameters", kTransportParameters, GNUTLS_EXT_TLS,
                                     parameters_received, parameters_wanted, nullptr, nullptr, nullptr,
                                     GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE) ==
         GNUTLS_E_SUCCESS;
}

}  // namespace qmux::quic

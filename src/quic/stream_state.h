// SPDX-License-Identifier: MIT
//
// The states of the two halves of a stream, as RFC 9000 section 3 draws them. Stream holds one of each, and its member
// functions are the transitions.
#pragma once

#include <cstdint>

namespace qmux::quic {

/// RFC 9000 section 3.1, figure 2.
///
///   ready ──> send ──> data_sent ──> data_recvd
///     │         │          │
///     └─────────┴──────────┴───────> reset_sent ──> reset_recvd
///
/// ngtcp2 does not report that the peer has acknowledged FIN or RESET_STREAM. So data_recvd begins when every byte is
/// acknowledged and FIN has been sent, and reset_recvd when ngtcp2 closes the stream. A stream that ngtcp2 closes before FIN was
/// sent has answered STOP_SENDING by itself: it goes to reset_recvd at once.
enum class SendState : std::uint8_t {
  ready,        ///< nothing has been sent
  send,         ///< bytes have been sent
  data_sent,    ///< every byte and FIN have been sent
  reset_sent,   ///< RESET_STREAM has been sent: our owner's, or the answer to STOP_SENDING
  data_recvd,   ///< every byte has been acknowledged
  reset_recvd,  ///< the stream is closed after a reset
};

/// RFC 9000 section 3.2, figure 3.
///
///   recv ──> data_recvd ──> data_read
///     └────> reset_recvd ─> reset_read
///
/// Size Known is left out: ngtcp2 reports FIN together with the last byte before it. RESET_STREAM after that leaves the state
/// as it is; its code is reported all the same.
///
/// Bytes that arrive after STOP_SENDING count as read. ngtcp2 may discard them, and the FIN behind them, without a report: then
/// data_read begins when it closes the stream. A stream that it closes in recv without STOP_SENDING was not read to a FIN: it
/// goes to reset_recvd.
enum class RecvState : std::uint8_t {
  recv,         ///< more may come
  data_recvd,   ///< every byte and FIN have arrived
  reset_recvd,  ///< RESET_STREAM has arrived
  data_read,    ///< and the owner has consumed every byte, or has stopped reading
  reset_read,   ///< and the owner has been notified
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// What a connection asks of its endpoint.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/io/event_loop.h"
#include "quic/reset_token.h"

namespace qmux::quic {

class Connection;

class ConnectionHost {
 public:
  [[nodiscard]] virtual io::EventLoop& loop() noexcept = 0;
  [[nodiscard]] virtual ChunkPool& chunks() noexcept = 0;
  /// A new connection ID that leads to this worker, and its stateless reset token (RFC 9000 section 10.3) for packets that
  /// the peer sends to `local`.
  virtual void make_connection_id(ngtcp2_cid& id, std::size_t length, const Address& local, ResetToken token) = 0;
  /// Packets with this destination ID go to the connection from now on; no longer.
  virtual void route(const ngtcp2_cid& id, Connection& connection) = 0;
  virtual void unroute(const ngtcp2_cid& id) = 0;
  /// The connection has events to report or packets to send: serve it at the end of this pass.
  virtual void touch(Connection& connection) = 0;
  /// Writes an address validation token for `remote` (NEW_TOKEN, RFC 9000 section 8.1.3); returns its length, 0 for none.
  virtual std::size_t make_token(const Address& remote, std::span<std::uint8_t> into) = 0;
  /// The server gave us a token to present next time.
  virtual void token_received(ConstBytes token) = 0;
  /// A datagram came for which there is no DatagramHost.
  virtual void datagram_dropped() noexcept = 0;

 protected:
  ~ConnectionHost() = default;
};

}  // namespace qmux::quic

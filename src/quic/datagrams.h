// SPDX-License-Identifier: MIT
//
// DATAGRAM frames (RFC 9221): what a connection and the host of its datagrams ask of each other. There is no queue in
// between: the host is asked for the next datagram when there is room for it in a packet, so that what is sent is as fresh
// as it can be.
//
// One thread. Everything here is called from inside Connection::receive() and Connection::fill(); what may be called back
// from there is said at each function.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/time.h"

namespace qmux::quic {

/// Pieces that the payload of an outgoing datagram may be scattered over.
inline constexpr std::size_t kDatagramPiecesMax = 7;

/// The data of one DATAGRAM frame: `header`, then the pieces of `payload`. Any of them may be empty, and so may the whole.
struct OutgoingDatagram {
  ConstBytes header;
  std::span<const ConstBytes> payload;  ///< at most kDatagramPiecesMax pieces

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t bytes = header.size();
    for (const ConstBytes& piece : payload) bytes += piece.size();
    return bytes;
  }
};

/// The host of a connection's datagrams: one for each connection, which outlives it or is unset before it goes.
class DatagramHost {
 public:
  /// The data of one frame, seen where it was decrypted, so that nothing is copied on the way: it is gone when this returns.
  /// May call datagrams_waiting(), and nothing else of the connection's.
  virtual void datagram_received(ConstBytes data) = 0;
  /// The next to send, of at most `room` bytes in all; nullopt: nothing waits any more. A room of 0 is that of a peer that takes
  /// no datagrams: nullopt is the answer. What is returned stays valid and is returned again, cut for the room that there is by
  /// then, until datagram_sent(). May call nothing of the connection's.
  [[nodiscard]] virtual std::optional<OutgoingDatagram> next_datagram(std::size_t room, Time now) = 0;
  /// What was returned last is in a packet. It is not sent again when that is lost. May call nothing of the connection's.
  virtual void datagram_sent() = 0;
  /// How many flows have something waiting: each has the share of one stream.
  [[nodiscard]] virtual std::size_t flows_waiting() const = 0;

 protected:
  ~DatagramHost() = default;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// Who sends a visitor's UDP, and to whom: what names his session on a listener. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "tunnel/server/pool.h"

namespace qmux::tunnel {

struct UdpVisitor {
  Address remote;  ///< his own
  Address local;   ///< the one he sends to, from which he is answered

  /// Who sent these.
  [[nodiscard]] static UdpVisitor of(const io::PacketRun& packets) noexcept {
    return {.remote = packets.remote, .local = packets.local};
  }

  bool operator==(const UdpVisitor&) const = default;

  /// Anybody may send from any number of addresses, so tables of visitors are keyed with a random seed.
  struct Hash {
    std::uint64_t seed;

    std::size_t operator()(const UdpVisitor& visitor) const noexcept {
      return visitor.remote.hash(visitor.local.hash(seed));
    }
  };
};

/// A visitor whom an entrance sends to a client: his seat, and the entrance's name for it.
struct SeatedUdpVisitor {
  UdpVisitor visitor;
  Pool::Seat seat;
  std::size_t entrance = 0;  ///< the worker where his packets come in
  std::uint64_t route = 0;   ///< which of that worker's routes is his
};

/// What the worker of a session reports to the worker of its entrance.
struct UdpSessionEvent {
  enum class Kind : std::uint8_t {
    answered,  ///< for the first time
    ended,     ///< its route leads nowhere
  };
  Kind kind;
  UdpVisitor visitor;
  std::uint64_t route = 0;
};

}  // namespace qmux::tunnel

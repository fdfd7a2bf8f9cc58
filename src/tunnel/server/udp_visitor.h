// SPDX-License-Identifier: MIT
//
// The two addresses of a visitor's UDP, which identify its session on a listener. Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "tunnel/server/pool.h"

namespace qmux::tunnel {

struct UdpVisitor {
  Address remote;  ///< its own
  Address local;   ///< the one it sends to, and from which it is answered

  /// The visitor that sent these.
  [[nodiscard]] static UdpVisitor of(const io::PacketRun& packets) noexcept {
    return {.remote = packets.remote, .local = packets.local};
  }

  bool operator==(const UdpVisitor&) const = default;

  /// A sender may use any number of addresses, so tables of visitors hash with a random seed.
  struct Hash {
    std::uint64_t seed;

    std::size_t operator()(const UdpVisitor& visitor) const noexcept {
      return visitor.remote.hash(visitor.local.hash(seed));
    }
  };
};

/// A visitor that an entrance assigns to a client, and the entrance's route for it.
struct AssignedUdpVisitor {
  UdpVisitor visitor;
  Pool::Assignment assignment;
  std::size_t entrance = 0;  ///< the worker where its packets arrive
  std::uint64_t route = 0;   ///< which of that worker's routes is its own
};

/// What the worker of a session reports to the worker of its entrance.
struct UdpSessionEvent {
  enum class Kind : std::uint8_t {
    answered,  ///< by the local service, for the first time
    ended,     ///< its route has no session any more
  };
  Kind kind;
  UdpVisitor visitor;
  std::uint64_t route = 0;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// What one worker of a server may leave in another's mailbox: values, nothing shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "tunnel/pool.h"
#include "tunnel/udp/udp_parcel.h"
#include "tunnel/udp/udp_visitor.h"
#include "tunnel/visitor.h"

namespace qmux::tunnel {

/// Packets that the kernel gave to the wrong worker: io::PacketRun with bytes of its own.
struct StrayPackets {
  std::size_t listener = 0;
  Address local;
  Address remote;
  std::vector<std::byte> bytes;
  std::size_t segment_bytes = 0;
  io::Ecn ecn = io::Ecn::not_ect;
};

/// A newcomer took this member's place in the pool: close its connection.
struct MemberReplaced {
  std::size_t listener = 0;
  MemberId member = 0;
};

// ClientRegistered: for members with its name (tunnel/pool.h).

/// A visitor by UDP, for whom a client of that worker's was chosen.
struct UdpVisitorSeated {
  std::size_t listener = 0;
  SeatedUdpVisitor seated;
};

/// What visitors by UDP have sent, for clients of that worker's.
struct UdpPackets {
  std::size_t listener = 0;
  std::unique_ptr<UdpParcel> parcel;
};

/// His route is somebody else's now: his session with that member is to end.
struct UdpVisitorEvicted {
  std::size_t listener = 0;
  MemberId member = 0;
  UdpVisitor visitor;
  std::uint64_t route = 0;
};

struct EndedUdpSession {
  UdpVisitor visitor;
  std::uint64_t route = 0;
};

/// Sessions of visitors who come in at that worker have ended: their routes lead nowhere.
struct UdpSessionsEnded {
  std::size_t listener = 0;
  std::vector<EndedUdpSession> sessions;
};

using WorkerMessage = std::variant<SeatedVisitor, StrayPackets, MemberReplaced, ClientRegistered, UdpVisitorSeated,
                                   UdpPackets, UdpVisitorEvicted, UdpSessionsEnded>;

/// The workers of a server, as one of them sees the others.
class Workers {
 public:
  /// Leaves a message for that worker; false: its mailbox takes no more, and the message is still the caller's.
  [[nodiscard]] virtual bool post(std::size_t worker, WorkerMessage& message) = 0;

 protected:
  ~Workers() = default;
};

}  // namespace qmux::tunnel

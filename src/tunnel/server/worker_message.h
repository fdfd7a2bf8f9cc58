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
#include "tunnel/server/pool.h"
#include "tunnel/server/udp_parcel.h"
#include "tunnel/server/udp_visitor.h"
#include "tunnel/server/visitor.h"

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

// ClientRegistered: for members with its name (tunnel/server/pool.h).

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

/// What happened to sessions of visitors whose packets come in at that worker.
struct UdpSessionEvents {
  std::size_t listener = 0;
  std::vector<UdpSessionEvent> events;
};

using WorkerMessage = std::variant<SeatedVisitor, MemberReplaced, ClientRegistered, UdpVisitorSeated, UdpPackets,
                                   UdpVisitorEvicted, UdpSessionEvents>;

/// The workers of a server, as one of them sees the others.
class Workers {
 public:
  /// Leaves a message for that worker; false: its mailbox takes no more, and the message is still the caller's.
  [[nodiscard]] virtual bool post(std::size_t worker, WorkerMessage& message) = 0;
  /// Packets go into a queue of their own: anybody can send what lands on the wrong worker. They are dropped, and counted,
  /// where it is full.
  virtual void hand_over(std::size_t worker, StrayPackets packets) = 0;

 protected:
  ~Workers() = default;
};

}  // namespace qmux::tunnel

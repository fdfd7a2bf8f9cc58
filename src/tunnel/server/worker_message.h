// SPDX-License-Identifier: MIT
//
// The messages from one worker of a server to another's mailbox: values, nothing shared.
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

/// A newcomer replaced this member in the pool: close its connection.
struct MemberReplaced {
  std::size_t listener = 0;
  MemberId member = 0;
};

// ClientRegistered: for members with its name (tunnel/server/pool.h).

/// A visitor by UDP that was assigned to a client on that worker.
struct UdpVisitorAssigned {
  std::size_t listener = 0;
  AssignedUdpVisitor assigned;
};

/// Packets of visitors by UDP for clients on that worker.
struct UdpPackets {
  std::size_t listener = 0;
  std::unique_ptr<UdpParcel> parcel;
};

/// The visitor's route now belongs to another visitor: end its session with that member.
struct UdpVisitorEvicted {
  std::size_t listener = 0;
  MemberId member = 0;
  UdpVisitor visitor;
  std::uint64_t route = 0;
};

/// Events of sessions whose visitors' packets arrive at that worker.
struct UdpSessionEvents {
  std::size_t listener = 0;
  std::vector<UdpSessionEvent> events;
};

using WorkerMessage = std::variant<AssignedVisitor, MemberReplaced, ClientRegistered, UdpVisitorAssigned, UdpPackets,
                                   UdpVisitorEvicted, UdpSessionEvents>;

/// The workers of a server, as one of them sees the others.
class Workers {
 public:
  /// Posts a message to that worker. False: its mailbox is full or closed, and the caller keeps the message.
  [[nodiscard]] virtual bool post(std::size_t worker, WorkerMessage& message) = 0;
  /// Packets have a queue of their own, because any host can send packets that arrive at the wrong worker. They are dropped and
  /// counted when the queue is full.
  virtual void hand_over(std::size_t worker, StrayPackets packets) = 0;

 protected:
  ~Workers() = default;
};

}  // namespace qmux::tunnel

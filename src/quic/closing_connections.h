// SPDX-License-Identifier: MIT
//
// Connections that have ended, but whose peers may not know it yet (RFC 9000 section 10.2): for three probe timeouts a packet
// for one is answered with the CONNECTION_CLOSE that ended it (closing) or with nothing (draining), and never with a
// stateless reset. Only that packet is kept, so a refused connection costs little memory.
//
// Owned by an Endpoint; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/counter.h"
#include "base/io/datagram_socket.h"
#include "base/io/event_loop.h"
#include "base/time.h"
#include "base/timer_queue.h"
#include "quic/connection_table.h"

namespace qmux::quic {

/// What a connection leaves behind.
struct ConnectionRemains {
  std::vector<std::byte> close_packet;  ///< empty: draining
  Address local;                        ///< where the packet goes from ...
  Address remote;                       ///< ... and to
  std::vector<ngtcp2_cid> ids;          ///< those that its peer may use
  Time until{};                         ///< when it is forgotten
};

class ClosingConnections {
 public:
  /// `forgotten` counts those that were removed before their time.
  ClosingConnections(io::EventLoop& loop, Counter& forgotten)
      : loop_(loop), by_id_(loop.random()), forgotten_(forgotten) {}
  ClosingConnections(const ClosingConnections&) = delete;
  ClosingConnections& operator=(const ClosingConnections&) = delete;

  /// Beyond limits::kClosingConnectionsMax the oldest is forgotten.
  void add(ConnectionRemains remains);
  /// A packet of `bytes` came with this destination ID. False: it is for none of these. `answer` is then to be sent, if there is
  /// one; it refers to what is kept here.
  [[nodiscard]] bool take(const std::uint8_t* id, std::size_t length, std::size_t bytes,
                          std::optional<io::PacketRun>& answer);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Entry(ClosingConnections& owner, ConnectionRemains its_remains)
        : remains(std::move(its_remains)), end(owner.loop_.timers(), [this, &owner] { owner.forget(self); }) {}
    ConnectionRemains remains;
    std::uint32_t packets = 0;  ///< that have come for it
    std::list<Entry>::iterator self;
    Timer end;
  };

  void forget(std::list<Entry>::iterator entry);

  io::EventLoop& loop_;
  std::list<Entry> entries_;  ///< the oldest first
  IdTable<Entry> by_id_;
  Counter& forgotten_;
};

}  // namespace qmux::quic

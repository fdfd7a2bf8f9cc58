// SPDX-License-Identifier: MIT
//
// How often something happened to UDP on one worker since it began. Counted by the worker alone.
//
// Every payload that was taken from a socket or put together from a connection's datagrams is accounted for: passed on, still
// waiting, or dropped for a reason. "To clients" and "from clients" are a server's words; on a client they are the local
// service's answers and what comes for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "base/counter.h"

namespace qmux::tunnel {

/// Why a payload went no further.
enum class UdpDrop : std::uint8_t {
  no_client,          ///< none is there to serve the visitor
  too_many_sessions,  ///< its source begins more than its share in a second
  mailbox_full,       ///< the other worker does not keep up
  session_gone,       ///< ended while the payload was on its way, or before its turn
  too_large,          ///< over read_buffer_size, or does not fit a datagram and may not be cut, or into 255 fragments
  queue_full,         ///< its session's queue is full: the oldest goes
  stale,              ///< waited too long for the connection
  no_fragment_id,     ///< all that a Go peer tells apart are in use
  no_datagrams,       ///< the peer takes none
  malformed,          ///< a datagram too short to name a session, or of fragments that nobody makes
  unknown_session,    ///< named by the client, and not there
  no_socket,          ///< the local service could not be resolved, or not in time, or the socket not be opened
  socket_refused,     ///< the kernel did not take it
};
inline constexpr std::size_t kUdpDrops = static_cast<std::size_t>(UdpDrop::socket_refused) + 1;

struct UdpCounters {
  Counter sessions_opened;
  Counter sessions_idle;     ///< ended for want of traffic
  Counter sessions_evicted;  ///< ended to make room for others
  Counter sessions_closed;   ///< ended because the server had ended them (client)
  Counter sessions_lost;     ///< ended with their connection, or with the worker

  Counter overflowed;  ///< lost in the kernel since they were not taken from sockets in time
  /// Times that payloads did not arrive at the local service's socket, as ICMP says (client); each was counted as delivered.
  Counter service_unreachable;
  Counter payloads_received;  ///< from sockets
  Counter payloads_sent;      ///< in datagrams
  Counter datagrams_sent;     ///< more than payloads where they were cut
  Counter datagrams_received;
  Counter payloads_delivered;  ///< to sockets
  Counter parcels_moved;       ///< of packets, to other workers

  std::array<Counter, kUdpDrops> dropped{};  ///< by UdpDrop

  void drop(UdpDrop why, std::uint64_t payloads = 1) noexcept { dropped[static_cast<std::size_t>(why)] += payloads; }
  [[nodiscard]] std::uint64_t dropped_for(UdpDrop why) const noexcept { return dropped[static_cast<std::size_t>(why)]; }
  [[nodiscard]] std::uint64_t dropped_in_all() const noexcept {
    return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
  }
};

}  // namespace qmux::tunnel

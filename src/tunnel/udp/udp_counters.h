// SPDX-License-Identifier: MIT
//
// Counters of UDP on one worker since it began. Only the worker counts.
//
// Every payload received from a socket or reassembled from a connection's datagrams is accounted for: passed on, still waiting,
// or dropped for a reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "base/counter.h"

namespace qmux::tunnel {

/// Why a payload was dropped.
enum class UdpDrop : std::uint8_t {
  no_client,          ///< no client can serve the visitor
  too_many_sessions,  ///< its source began more sessions than its share in a second
  mailbox_full,       ///< the other worker's mailbox is full
  session_gone,       ///< the session ended before the payload was sent
  too_large,          ///< over read_buffer_size, or needs fragments where they are disabled, or more than 255
  queue_full,         ///< its session's queue is full: the oldest is dropped
  stale,              ///< waited too long for the connection
  no_fragment_id,     ///< all ids that a Go peer can distinguish are in use
  no_datagrams,       ///< the peer does not accept datagrams
  malformed,          ///< a datagram too short to name a session, or an impossible fragment
  unknown_session,    ///< named by the client, but it does not exist
  no_socket,          ///< the local service was not resolved (in time), or the socket could not be opened
  socket_refused,     ///< the kernel refused it
};
inline constexpr std::size_t kUdpDrops = static_cast<std::size_t>(UdpDrop::socket_refused) + 1;

struct UdpCounters {
  Counter sessions_opened;
  Counter sessions_idle;     ///< ended by the idle timeout
  Counter sessions_evicted;  ///< ended to make room for others
  Counter sessions_closed;   ///< ended because the server had ended them (client)
  Counter ends_dropped;      ///< of sessions: the client was not notified (server)
  Counter sessions_lost;     ///< ended with their connection, or with the worker

  Counter overflowed;  ///< lost in the kernel: they were not received from their sockets in time
  /// Times that ICMP reported payloads that did not reach the local service's socket (client). Each was counted as delivered.
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

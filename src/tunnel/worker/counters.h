// SPDX-License-Identifier: MIT
//
// How often something happened on one worker since it began. Plain numbers, written by the worker alone.
//
// Everything that begins is accounted for: visitors accepted or moved here are taken, moved on, refused or still waiting;
// tunnels opened are closed for a cause or still live.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "tunnel/relay/relay.h"
#include "tunnel/udp/udp_counters.h"

namespace qmux::tunnel {

struct Counters {
  // Visitors (server).
  std::uint64_t visitors_accepted = 0;
  std::uint64_t visitors_moved = 0;                 ///< to the worker of the client chosen
  std::uint64_t visitors_refused_no_client = 0;     ///< none came in time
  std::uint64_t visitors_refused_waiting_full = 0;  ///< too many wait already
  std::uint64_t visitors_refused_stopping = 0;      ///< the server stops
  std::uint64_t visitors_process_full = 0;          ///< not admitted: tunnel/server/visitor_admission.h
  std::uint64_t visitors_listener_full = 0;         ///< likewise
  std::uint64_t visitors_source_full = 0;           ///< likewise

  // Clients' connections (server).
  std::uint64_t clients_registered = 0;
  std::uint64_t clients_refused = 0;
  std::uint64_t protocol_errors = 0;  ///< peers that sent what is no message, or too many, or in the wrong order
  std::uint64_t streams_refused = 0;  ///< opened by a peer that has no business to

  // Of strangers at the QUIC addresses (server).
  std::uint64_t handshakes_waiting_full = 0;     ///< Initials that found too many of their kind or source waiting
  std::uint64_t handshakes_waited_too_long = 0;  ///< Initials whose turn did not come in time
  std::uint64_t handshakes_evicted = 0;          ///< ended to make room for other sources
  std::uint64_t tokens_refused = 0;              ///< Retry tokens
  std::uint64_t resets_withheld = 0;             ///< stateless resets
  std::uint64_t closing_forgotten = 0;  ///< connections that could not answer to the end of their closing period

  // Tunnels (both).
  std::uint64_t tunnels_opened = 0;
  static constexpr std::size_t kCauses = static_cast<std::size_t>(RelayEnd::Cause::aborted) + 1;
  std::array<std::uint64_t, kCauses> tunnels_closed{};  ///< by RelayEnd::Cause
  std::uint64_t tunnels_cut = 0;                        ///< of those: RelayEnd::cut
  std::uint64_t bytes_to_streams = 0;                   ///< of tunnels closed
  std::uint64_t bytes_to_sockets = 0;                   ///< likewise

  // Streams that did not become tunnels (client).
  std::uint64_t streams_accepted = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t requests_malformed = 0;  ///< no NewConn, or none in time
  std::uint64_t requests_lost = 0;       ///< the stream or its connection ended before the dial

  UdpCounters udp;

  // Between workers.
  std::uint64_t mailbox_full = 0;  ///< messages to this one that found its mailbox full
  std::uint64_t strays_full = 0;   ///< runs of packets for connections of this one that came in elsewhere, likewise

  [[nodiscard]] std::uint64_t tunnels_closed_in_all() const noexcept {
    return std::accumulate(tunnels_closed.begin(), tunnels_closed.end(), std::uint64_t{0});
  }
  void tunnel_closed(const RelayEnd& end) noexcept {
    ++tunnels_closed[static_cast<std::size_t>(end.cause)];
    if (end.cut) ++tunnels_cut;
    bytes_to_streams += end.bytes_to_stream;
    bytes_to_sockets += end.bytes_to_socket;
  }
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// Counters of one worker since it began. Only the worker counts; any thread may read (base/counter.h).
//
// Everything that begins is accounted for. Visitors accepted, returned or moved here are taken, moved on, refused or still
// waiting. Tunnels opened are closed for a cause or still open.
//
// To add one: a member here or in the struct of its layer, and its row in counters.cpp. With the row it is in the log's report
// (as Kind::loss), in the simulator's sums and in monitoring. A member without a row does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>

#include "base/counter.h"
#include "quic/endpoint.h"
#include "quic/handshake_admission.h"
#include "tunnel/relay/relay.h"
#include "tunnel/udp/udp_counters.h"
#include "wire/reassembly_budget.h"

namespace qmux::tunnel {

struct Counters {
  static constexpr std::size_t kCauses = static_cast<std::size_t>(RelayEnd::Cause::taken_back) + 1;

  // Visitors by TCP (server).
  Counter visitors_accepted;
  Counter visitors_moved;
  Counter visitors_returned;
  Counter visitors_handed_over;
  Counter visitors_not_kept;
  Counter visitors_no_client;
  Counter visitors_no_service;
  Counter visitors_too_many_waiting;
  Counter visitors_stopping;
  Counter visitors_process_full;
  Counter visitors_listener_full;
  Counter visitors_source_full;

  // Clients' connections (server).
  Counter clients_registered;
  Counter clients_refused;

  // Tunnels (both).
  Counter tunnels_opened;
  std::array<Counter, kCauses> tunnels_closed{};  ///< by RelayEnd::Cause
  Counter tunnels_cut;                            ///< of those: RelayEnd::cut
  Counter tunnels_stuck;                          ///< see MemoryBudget; includes tunnels that were still dialling
  Counter bytes_from_visitors;                    ///< of tunnels closed
  Counter bytes_to_visitors;                      ///< likewise

  // Streams that did not become tunnels (client).
  Counter streams_accepted;
  Counter dials_failed;
  Counter requests_malformed;  ///< no NewConn, or not in time
  Counter requests_lost;       ///< the stream or its connection ended before the dial

  // Peers that violate the protocol (both).
  Counter protocol_errors;
  Counter streams_refused;

  // Between workers (server).
  Counter mailbox_full;
  Counter strays_full;

  quic::EndpointCounters quic;
  quic::AdmissionCounters handshakes;
  UdpCounters udp;
  wire::ReassemblyCounters reassembly;

  /// Of visitors by TCP that were accepted; those that are not admitted included.
  [[nodiscard]] std::uint64_t visitors_refused_in_all() const noexcept {
    return visitors_no_client + visitors_no_service + visitors_too_many_waiting + visitors_stopping +
           visitors_process_full + visitors_listener_full + visitors_source_full;
  }
  [[nodiscard]] std::uint64_t tunnels_closed_in_all() const noexcept {
    return std::accumulate(tunnels_closed.begin(), tunnels_closed.end(), std::uint64_t{0});
  }
  void tunnel_closed(const RelayEnd& end) noexcept {
    ++tunnels_closed[static_cast<std::size_t>(end.cause)];
    if (end.cut) ++tunnels_cut;
  }
};

/// One row of the table.
struct CounterInfo {
  enum class Kind : std::uint8_t {
    event,
    loss,  ///< something was refused or dropped and has no log line of its own: the report names it
  };
  std::string_view name;  ///< the same in the log, in the documentation and for monitoring
  Kind kind;
  std::string_view help;  ///< the same in docs/CONFIGURATION.md
  Counter& (*of)(Counters& counters);

  [[nodiscard]] std::uint64_t value(const Counters& counters) const noexcept {
    return of(const_cast<Counters&>(counters)).value();  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
  }
};

/// Every counter, once.
[[nodiscard]] std::span<const CounterInfo> counter_table() noexcept;

/// Adds what another worker has counted.
void add(Counters& sum, const Counters& counters) noexcept;

}  // namespace qmux::tunnel

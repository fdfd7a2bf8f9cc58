// SPDX-License-Identifier: MIT
#include "tunnel/worker/counters.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "quic/limits.h"
#include "tunnel/limits.h"
#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::tunnel {
namespace {

constexpr auto kEvent = CounterInfo::Kind::event;
constexpr auto kLoss = CounterInfo::Kind::loss;

using Cause = RelayEnd::Cause;

Counter& closed(Counters& counters, Cause cause) { return counters.tunnels_closed[static_cast<std::size_t>(cause)]; }
Counter& dropped(Counters& counters, UdpDrop why) { return counters.udp.dropped[static_cast<std::size_t>(why)]; }

constexpr auto kTable = std::to_array<CounterInfo>({
    {"visitors_accepted", kEvent, "visitors by TCP that were accepted",
     [](Counters& c) -> Counter& { return c.visitors_accepted; }},
    {"visitors_moved", kEvent, "visitors by TCP that moved to the worker of the client chosen",
     [](Counters& c) -> Counter& { return c.visitors_moved; }},
    {"visitors_returned", kEvent, "visitors by TCP that a client could not serve after all, and another may",
     [](Counters& c) -> Counter& { return c.visitors_returned; }},
    {"visitors_handed_over", kEvent,
     "visitors by TCP given to a further client, since the one before could not serve them",
     [](Counters& c) -> Counter& { return c.visitors_handed_over; }},
    {"visitors_not_kept", kLoss,
     "visitors by TCP that cannot be handed over, since too many wait for their clients to reach the local service",
     [](Counters& c) -> Counter& { return c.visitors_not_kept; }},
    {"visitors_no_client", kLoss, "visitors by TCP that no client took in time",
     [](Counters& c) -> Counter& { return c.visitors_no_client; }},
    {"visitors_no_service", kEvent, "visitors by TCP for which no client reached its local service",
     [](Counters& c) -> Counter& { return c.visitors_no_service; }},
    {"visitors_too_many_waiting", kLoss, "visitors by TCP that found too many others waiting for a client",
     [](Counters& c) -> Counter& { return c.visitors_too_many_waiting; }},
    {"visitors_stopping", kEvent, "visitors by TCP refused because the server stops",
     [](Counters& c) -> Counter& { return c.visitors_stopping; }},
    {"visitors_process_full", kLoss,
     "visitors by TCP for which the process has no descriptor left: raise the limit of open files",
     [](Counters& c) -> Counter& { return c.visitors_process_full; }},
    {"visitors_listener_full", kLoss,
     "visitors by TCP over the listener's `max_visitors`, or over its share while descriptors are scarce",
     [](Counters& c) -> Counter& { return c.visitors_listener_full; }},
    {"visitors_source_full", kLoss,
     "visitors by TCP over `max_visitors_per_source`, or over the share of one address while descriptors "
     "are scarce",
     [](Counters& c) -> Counter& { return c.visitors_source_full; }},
    {"clients_registered", kEvent, "clients that registered",
     [](Counters& c) -> Counter& { return c.clients_registered; }},
    {"clients_refused", kEvent, "clients whose registration was refused or did not arrive in time",
     [](Counters& c) -> Counter& { return c.clients_refused; }},
    {"tunnels_opened", kEvent, "tunnels opened, one a visitor by TCP",
     [](Counters& c) -> Counter& { return c.tunnels_opened; }},
    {"tunnels_closed_complete", kEvent, "tunnels closed by FIN both ways",
     [](Counters& c) -> Counter& { return closed(c, Cause::complete); }},
    {"tunnels_closed_socket_reset", kEvent, "tunnels closed because their TCP connection was reset",
     [](Counters& c) -> Counter& { return closed(c, Cause::socket_reset); }},
    {"tunnels_closed_dial_failed", kEvent, "tunnels closed because the client did not reach its local service",
     [](Counters& c) -> Counter& { return closed(c, Cause::dial_failed); }},
    {"tunnels_closed_peer_reset", kEvent, "tunnels closed because the peer reset the stream",
     [](Counters& c) -> Counter& { return closed(c, Cause::peer_reset); }},
    {"tunnels_closed_peer_stopped", kEvent, "tunnels closed because the peer took less than was sent",
     [](Counters& c) -> Counter& { return closed(c, Cause::peer_stopped); }},
    {"tunnels_closed_stuck", kEvent, "tunnels closed because they held too much memory for too long",
     [](Counters& c) -> Counter& { return closed(c, Cause::stuck); }},
    {"tunnels_closed_protocol_error", kEvent, "tunnels closed because the peer violated the protocol",
     [](Counters& c) -> Counter& { return closed(c, Cause::protocol_error); }},
    {"tunnels_closed_connection_lost", kEvent, "tunnels closed because the connection between client and server ended",
     [](Counters& c) -> Counter& { return closed(c, Cause::connection_lost); }},
    {"tunnels_closed_aborted", kEvent, "tunnels closed because they were ended here",
     [](Counters& c) -> Counter& { return closed(c, Cause::aborted); }},
    {"tunnels_closed_taken_back", kEvent,
     "tunnels closed because their client goes away or is silent; another may serve the visitor",
     [](Counters& c) -> Counter& { return closed(c, Cause::taken_back); }},
    {"tunnels_cut", kLoss,
     "tunnels whose last bytes before a reset did not get through: no progress for 30 s, or not all within "
     "5 minutes",
     [](Counters& c) -> Counter& { return c.tunnels_cut; }},
    {"tunnels_stuck", kLoss, "tunnels reset because stuck ones held too much memory",
     [](Counters& c) -> Counter& { return c.tunnels_stuck; }},
    {"bytes_from_visitors", kEvent, "bytes of tunnels closed, from visitors",
     [](Counters& c) -> Counter& { return c.bytes_from_visitors; }},
    {"bytes_to_visitors", kEvent, "bytes of tunnels closed, to visitors",
     [](Counters& c) -> Counter& { return c.bytes_to_visitors; }},
    {"streams_accepted", kEvent, "streams that the server opened for tunnels",
     [](Counters& c) -> Counter& { return c.streams_accepted; }},
    {"dials_failed", kEvent, "attempts to connect to the local service that failed",
     [](Counters& c) -> Counter& { return c.dials_failed; }},
    {"requests_malformed", kEvent, "streams of the server without a request for a tunnel, or with a malformed one",
     [](Counters& c) -> Counter& { return c.requests_malformed; }},
    {"requests_lost", kEvent, "tunnels that ended before the local service was reached",
     [](Counters& c) -> Counter& { return c.requests_lost; }},
    {"protocol_errors", kLoss, "connections closed because the peer violated the protocol",
     [](Counters& c) -> Counter& { return c.protocol_errors; }},
    {"streams_refused", kLoss, "streams reset that the peer must not open, or not yet",
     [](Counters& c) -> Counter& { return c.streams_refused; }},
    {"mailbox_full", kLoss, "messages to a worker that did not keep up",
     [](Counters& c) -> Counter& { return c.mailbox_full; }},
    {"strays_full", kLoss,
     "runs of QUIC packets that arrived at another worker than their connection's, faster than it took "
     "them",
     [](Counters& c) -> Counter& { return c.strays_full; }},
    {"quic_packets_received", kEvent, "packets that arrived at QUIC addresses",
     [](Counters& c) -> Counter& { return c.quic.packets_received; }},
    {"quic_packets_overflowed", kLoss,
     "packets for QUIC addresses that the kernel dropped because they were not received from their socket in time",
     [](Counters& c) -> Counter& { return c.quic.packets_overflowed; }},
    {"quic_packets_refused", kLoss, "packets of QUIC connections that the kernel refused to send",
     [](Counters& c) -> Counter& { return c.quic.packets_refused; }},
    {"quic_replies_dropped", kLoss, "answers to packets of no connection for which the socket had no room",
     [](Counters& c) -> Counter& { return c.quic.replies_dropped; }},
    {"quic_packets_dropped", kEvent, "of these, packets of no connection that were not answered",
     [](Counters& c) -> Counter& { return c.quic.packets_dropped; }},
    {"quic_packets_handed_over", kEvent, "of these, packets of another worker's connections",
     [](Counters& c) -> Counter& { return c.quic.packets_handed_over; }},
    {"handshakes_begun", kEvent, "handshakes begun", [](Counters& c) -> Counter& { return c.quic.handshakes_begun; }},
    {"handshakes_failed", kLoss, "handshakes that could not begin because memory ran out",
     [](Counters& c) -> Counter& { return c.quic.handshakes_failed; }},
    {"address_tokens_refused", kLoss,
     "handshakes with a Retry token that was forged, issued to another address, or older than 10 s",
     [](Counters& c) -> Counter& { return c.quic.address_tokens_refused; }},
    {"retries_sent", kEvent, "Retry packets sent", [](Counters& c) -> Counter& { return c.quic.retries_sent; }},
    {"version_negotiations_sent", kEvent, "Version Negotiation packets sent",
     [](Counters& c) -> Counter& { return c.quic.version_negotiations_sent; }},
    {"stateless_resets_sent", kEvent, "stateless resets sent",
     [](Counters& c) -> Counter& { return c.quic.stateless_resets_sent; }},
    {"resets_withheld", kLoss,
     "packets of unknown connections beyond the 100 a second that are answered with a stateless reset",
     [](Counters& c) -> Counter& { return c.quic.resets_withheld; }},
    {"quic_datagrams_dropped", kLoss, "datagrams of connections that carry no UDP, or not yet",
     [](Counters& c) -> Counter& { return c.quic.datagrams_dropped; }},
    {"closing_forgotten", kLoss,
     "connections that ended and could not answer their peers for as long as they should, since too many "
     "others ended",
     [](Counters& c) -> Counter& { return c.quic.closing_forgotten; }},
    {"handshakes_waiting_full", kLoss,
     "first packets of clients that found too many others waiting for their handshake, or too many from "
     "their own address",
     [](Counters& c) -> Counter& { return c.handshakes.waiting_full; }},
    {"handshakes_waited_too_long", kLoss, "first packets of clients whose turn did not come within 1.5 s",
     [](Counters& c) -> Counter& { return c.handshakes.waited_too_long; }},
    {"handshakes_evicted", kLoss,
     "handshakes ended to make room for a client from elsewhere, since their address had the most",
     [](Counters& c) -> Counter& { return c.handshakes.evicted; }},
    {"handshakes_silent", kLoss,
     "handshakes ended after 2.5 s in which nothing came from their client, while there were 64 or more of them",
     [](Counters& c) -> Counter& { return c.handshakes.silent; }},
    {"handshakes_oversize", kLoss, "handshakes ended since what their client sent took more than 64 KiB",
     [](Counters& c) -> Counter& { return c.quic.handshakes_oversize; }},
    {"udp_sessions_opened", kEvent, "UDP sessions opened",
     [](Counters& c) -> Counter& { return c.udp.sessions_opened; }},
    {"udp_sessions_idle", kEvent, "UDP sessions ended by the idle timeout",
     [](Counters& c) -> Counter& { return c.udp.sessions_idle; }},
    {"udp_sessions_evicted", kLoss, "UDP sessions ended to make room for others",
     [](Counters& c) -> Counter& { return c.udp.sessions_evicted; }},
    {"udp_sessions_closed", kEvent, "UDP sessions that a client ended because the server had ended them",
     [](Counters& c) -> Counter& { return c.udp.sessions_closed; }},
    {"udp_sessions_lost", kEvent, "UDP sessions that ended with their connection",
     [](Counters& c) -> Counter& { return c.udp.sessions_lost; }},
    {"udp_ends_dropped", kLoss,
     "ends of UDP sessions of which the client was not notified, since it takes no messages: it keeps the session "
     "until its "
     "own idle timeout",
     [](Counters& c) -> Counter& { return c.udp.ends_dropped; }},
    {"udp_overflowed", kLoss,
     "UDP payloads that the kernel dropped because they were not received from their socket in time",
     [](Counters& c) -> Counter& { return c.udp.overflowed; }},
    {"udp_service_unreachable", kLoss,
     "on a client: times that the local service's machine, or the path to it, refused UDP payloads (ICMP), "
     "as when no program listens on the port; several at once count once. A line `local service "
     "unreachable by UDP` names the service",
     [](Counters& c) -> Counter& { return c.udp.service_unreachable; }},
    {"udp_payloads_received", kEvent, "UDP payloads received from sockets",
     [](Counters& c) -> Counter& { return c.udp.payloads_received; }},
    {"udp_payloads_sent", kEvent, "UDP payloads sent in datagrams",
     [](Counters& c) -> Counter& { return c.udp.payloads_sent; }},
    {"udp_datagrams_sent", kEvent, "datagrams sent, more than payloads where they were cut",
     [](Counters& c) -> Counter& { return c.udp.datagrams_sent; }},
    {"udp_datagrams_received", kEvent, "datagrams received",
     [](Counters& c) -> Counter& { return c.udp.datagrams_received; }},
    {"udp_payloads_delivered", kEvent, "UDP payloads given to sockets",
     [](Counters& c) -> Counter& { return c.udp.payloads_delivered; }},
    {"udp_parcels_moved", kEvent, "batches of visitors' UDP packets that moved to another worker",
     [](Counters& c) -> Counter& { return c.udp.parcels_moved; }},
    {"udp_no_client", kLoss, "UDP payloads for which there was no client",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::no_client); }},
    {"udp_too_many_sessions", kLoss,
     "UDP payloads of new visitors from an address that began too many sessions within a second",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::too_many_sessions); }},
    {"udp_mailbox_full", kLoss, "UDP payloads for a worker that did not keep up",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::mailbox_full); }},
    {"udp_session_gone", kLoss, "UDP payloads whose session ended before their turn",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::session_gone); }},
    {"udp_too_large", kLoss,
     "UDP payloads over `read_buffer_size`, or that do not fit a datagram with `enable_fragmentation: "
     "false`, or not 255 fragments",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::too_large); }},
    {"udp_queue_full", kLoss,
     "UDP payloads that were the oldest of a session that receives more than its connection carries",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::queue_full); }},
    {"udp_stale", kLoss, "UDP payloads that waited half a second for their connection",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::stale); }},
    {"udp_no_fragment_id", kLoss,
     "UDP payloads in fragments, towards a Go peer, faster than the protocol has fragment ids",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::no_fragment_id); }},
    {"udp_no_datagrams", kLoss, "UDP payloads for a peer that accepts no datagrams",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::no_datagrams); }},
    {"udp_malformed", kLoss, "malformed datagrams of the peer",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::malformed); }},
    {"udp_unknown_session", kLoss, "datagrams of the peer for a session that does not exist",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::unknown_session); }},
    {"udp_no_socket", kLoss,
     "UDP payloads for a new session whose socket could not be opened, or not before 256 KiB waited for "
     "it: the local service's address has to be found first",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::no_socket); }},
    {"udp_socket_refused", kLoss, "UDP payloads that the kernel refused",
     [](Counters& c) -> Counter& { return dropped(c, UdpDrop::socket_refused); }},
    {"udp_fragments_received", kEvent, "fragments of UDP payloads received",
     [](Counters& c) -> Counter& { return c.reassembly.fragments; }},
    {"udp_fragments_repeated", kEvent, "of these, fragments received before",
     [](Counters& c) -> Counter& { return c.reassembly.duplicates; }},
    {"udp_fragments_assembled", kEvent, "UDP payloads reassembled from fragments",
     [](Counters& c) -> Counter& { return c.reassembly.assembled; }},
    {"udp_incomplete_expired", kLoss, "UDP payloads of which a fragment did not arrive within 5 s",
     [](Counters& c) -> Counter& { return c.reassembly.expired; }},
    {"udp_incomplete_connection_full", kLoss,
     "UDP payloads that were the oldest of too many incomplete ones of a connection",
     [](Counters& c) -> Counter& { return c.reassembly.evicted_connection_limit; }},
    {"udp_incomplete_worker_full", kLoss, "UDP payloads that were the oldest of too many incomplete ones of a worker",
     [](Counters& c) -> Counter& { return c.reassembly.evicted_budget; }},
    {"udp_incomplete_conflicting", kLoss, "incomplete UDP payloads whose fragment id was reused",
     [](Counters& c) -> Counter& { return c.reassembly.conflicting; }},
    {"udp_incomplete_overtaken", kLoss, "incomplete UDP payloads whose fragment id is too old",
     [](Counters& c) -> Counter& { return c.reassembly.overtaken; }},
    {"udp_incomplete_oversize", kLoss, "incomplete UDP payloads larger than the maximum",
     [](Counters& c) -> Counter& { return c.reassembly.oversize; }},
    {"udp_incomplete_session_gone", kLoss, "incomplete UDP payloads whose session ended",
     [](Counters& c) -> Counter& { return c.reassembly.forgotten; }},
});

// The texts above spell these numbers.
static_assert(limits::kLastBytesIdleTimeMax == std::chrono::seconds(30));
static_assert(limits::kLastBytesTimeMax == std::chrono::minutes(5));
static_assert(limits::kRetryTokenLifetime == std::chrono::seconds(10));
static_assert(limits::kStatelessResetsPerSecond == 100);
static_assert(limits::kInitialWaitTimeMax == std::chrono::milliseconds(1500));
static_assert(limits::kSilentHandshakeTimeMax == std::chrono::milliseconds(2500));
static_assert(limits::kHandshakesBeforeRetry == 64);
static_assert(limits::kHandshakeLibraryBytesMax == std::size_t{64} * 1024);
static_assert(wire::kFragmentsMax == 255);
static_assert(limits::kUdpWaitTimeMax == std::chrono::milliseconds(500));
static_assert(limits::kUdpEarlyBytesMax == std::size_t{256} * 1024);
static_assert(limits::kReassemblyTimeMax == std::chrono::seconds(5));

// Counters holds nothing but counters.
static_assert(sizeof(Counters) == kTable.size() * sizeof(Counter), "every counter has one row in the table");

}  // namespace

std::span<const CounterInfo> counter_table() noexcept { return kTable; }

void add(Counters& sum, const Counters& counters) noexcept {
  for (const CounterInfo& each : kTable) each.of(sum) += each.value(counters);
}

}  // namespace qmux::tunnel

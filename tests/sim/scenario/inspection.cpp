// SPDX-License-Identifier: MIT
#include "sim/scenario/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "quic/limits.h"
#include "sim/scenario/findings.h"

namespace qmux::sim {
namespace {

using Cause = tunnel::RelayEnd::Cause;

/// Bytes taken from one side and not yet given to the other.
std::uint64_t backlog(const TalkRecord& from, const TalkRecord& to) {
  return from.sent_bytes - std::min(from.sent_bytes, to.received_bytes);
}

std::uint64_t largest_window(const Plan& plan, const VisitPlan& visit) {
  std::uint64_t window = plan.servers[visit.server].listeners[visit.listener].transport.stream_window_bytes_max;
  for (const ClientPlan& client : plan.clients) window = std::max(window, client.transport.stream_window_bytes_max);
  return window;
}

std::uint64_t closed(const tunnel::Counters& c, Cause cause) {
  return c.tunnels_closed[static_cast<std::size_t>(cause)];
}

/// Between programs of ours, with limits that no run reaches.
void require_never(Findings& findings, const std::string& who, const tunnel::Counters& c) {
  findings.require(c.tunnels_opened == c.tunnels_closed_in_all(), who, "tunnels opened and closed differ");
  findings.require(c.protocol_errors == 0, who, "protocol errors between our own programs");
  findings.require(c.streams_refused == 0, who, "streams that no peer may open");
  findings.require(closed(c, Cause::protocol_error) == 0, who, "tunnels ended for a protocol error");
  findings.require(closed(c, Cause::stuck) == 0, who, "tunnels evicted");
}

}  // namespace

std::vector<std::string> inspect_backlogs(const Plan& plan) {
  Findings findings;
  // Two TCP connections, and a chunk's worth of rounding wherever bytes rest.
  const std::uint64_t sockets =
      2 * (plan.tcp.send_buffer_bytes + plan.tcp.receive_buffer_bytes) + 4 * Chunk::kAllocatedBytes;
  for (const TunnelRecord& tunnel : plan.ledger.tunnels) {
    const std::uint64_t bound =
        sockets + limits::kStreamUnsentBytesMax + largest_window(plan, plan.tcp_visits[tunnel.id]);
    const std::string who = fmt::format("tunnel {}", tunnel.id);
    // Once a side has gone, the other's bytes are dropped.
    if (tunnel.visitor.over || tunnel.service.over) continue;
    findings.require(backlog(tunnel.visitor, tunnel.service) <= bound, who, "more is held upwards than there may be");
    findings.require(backlog(tunnel.service, tunnel.visitor) <= bound, who, "more is held downwards than there may be");
  }
  return findings.take();
}

std::vector<std::string> inspect_handshakes(Deployment& deployment) {
  Findings findings;
  for (const auto& process : deployment.servers()) {
    if (!process->running()) continue;
    const tunnel::Server& server = process->server();
    const std::string& who = process->host().name();
    const quic::HandshakeLoad& load = server.handshakes();
    findings.require(load.unproven() <= limits::kUnprovenConnectionsMax, who,
                     "more unproven connections than there may be");
    for (const auto standing : {quic::Standing::known, quic::Standing::unknown}) {
      findings.require(load.unproven(standing) <= limits::kUnprovenConnectionsOfKindMax, who,
                       "more unproven connections of a kind than there may be");
    }
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < server.worker_count(); ++i) waiting += server.initials_waiting(i);
    findings.require(waiting <= quic::kStandings * limits::kInitialsWaitingMax, who, "more Initials wait than may");
  }
  return findings.take();
}

std::vector<std::string> inspect_figures(const Plan& plan) {
  Findings findings;
  for (const TunnelRecord& tunnel : plan.ledger.tunnels) {
    const VisitPlan& visit = plan.tcp_visits[tunnel.id];
    const TalkRecord& visitor = tunnel.visitor;
    if (visit.late) continue;
    const auto require_within = [&](const std::optional<Time>& at, Duration within, std::string_view what) {
      if (within == Duration{}) return;
      const auto text = [](Duration time) { return fmt::format("{} ms", time / std::chrono::milliseconds(1)); };
      findings.require(
          at && *at - visitor.begun_at <= within, fmt::format("tunnel {}", tunnel.id),
          fmt::format("{} after {}, not within {}", what, at ? text(*at - visitor.begun_at) : "no time", text(within)));
    };
    require_within(visitor.first_byte_at, visit.first_byte_within, "the first byte of the answer came");
    require_within(visitor.over ? std::optional(visitor.over_at) : std::nullopt, visit.over_within,
                   "the visitor's end came");
  }
  return findings.take();
}

std::vector<std::string> inspect_rest(Deployment& deployment) {
  Findings findings;
  for (const auto& server : deployment.servers()) {
    const std::string& who = server->host().name();
    for (std::size_t i = 0; i < server->server().worker_count(); ++i) {
      const std::size_t held = server->server().worker(i).chunks.in_use_bytes();
      findings.require(held == 0, who, fmt::format("worker {} holds {} bytes at rest", i, held));
    }
    for (std::size_t i = 0; i < server->listener_count(); ++i) {
      const std::size_t assignments = server->pool(i)->assignments();
      findings.require(assignments == 0, who, fmt::format("{} assignments at rest", assignments));
    }
  }
  for (const ClientSite& site : deployment.client_sites()) {
    const std::size_t held = site.client->state().chunks.in_use_bytes();
    findings.require(held == 0, site.client->host().name(), fmt::format("holds {} bytes at rest", held));
  }
  return findings.take();
}

std::vector<std::string> inspect_losses(Deployment& deployment, bool losses_excused) {
  Findings findings;
  const auto require_none = [&](const std::string& who, const tunnel::Counters& c) {
    findings.require(c.mailbox_full == 0, who, "a mailbox was full");
    // Requests that come too late count as malformed, and so they do where the network stands still.
    findings.require(losses_excused || c.requests_malformed == 0, who, "malformed requests");
    findings.require(losses_excused || closed(c, Cause::connection_lost) == 0, who,
                     "a connection was lost without cause");
  };
  for (const auto& server : deployment.servers()) require_none(server->host().name(), server->counters());
  for (const ClientSite& site : deployment.client_sites()) {
    require_none(site.client->host().name(), site.client->state().counters);
  }
  return findings.take();
}

std::vector<std::string> inspect_accounts(Deployment& deployment) {
  Findings findings;
  for (const auto& server : deployment.servers()) {
    const tunnel::Counters c = server->counters();
    const std::string& who = server->host().name();
    const std::uint64_t ended = c.tunnels_opened + c.visitors_refused_in_all();
    findings.require(c.visitors_accepted + c.visitors_returned == ended, who, "visitors are not accounted for");
    require_never(findings, who, c);
  }
  for (const ClientSite& site : deployment.client_sites()) {
    const tunnel::Counters& c = site.client->state().counters;
    const std::string& who = site.client->host().name();
    findings.require(c.streams_accepted == c.tunnels_opened + c.dials_failed + c.requests_malformed + c.requests_lost,
                     who, "streams are not accounted for");
    require_never(findings, who, c);
  }
  return findings.take();
}

}  // namespace qmux::sim

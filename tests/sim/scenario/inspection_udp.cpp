// SPDX-License-Identifier: MIT
#include "sim/scenario/inspection_udp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/scenario/findings.h"
#include "wire/limits.h"

namespace qmux::sim {
namespace {

using tunnel::UdpCounters;
using tunnel::UdpDrop;

std::uint64_t dropped(const UdpCounters& c, std::initializer_list<UdpDrop> reasons) {
  std::uint64_t sum = 0;
  for (const UdpDrop reason : reasons) sum += c.dropped_for(reason);
  return sum;
}

/// Payloads on one way through a program.
struct Account {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  std::uint64_t lost = 0;

  [[nodiscard]] std::string text() const { return fmt::format("{} in, {} out, {} dropped", in, out, lost); }
};

/// From sockets into datagrams.
Account outward(const UdpCounters& c) {
  return {.in = c.payloads_received,
          .out = c.payloads_sent,
          .lost = dropped(c, {UdpDrop::no_client, UdpDrop::too_many_sessions, UdpDrop::mailbox_full,
                              UdpDrop::session_gone, UdpDrop::too_large, UdpDrop::queue_full, UdpDrop::stale,
                              UdpDrop::no_fragment_id, UdpDrop::no_datagrams})};
}

/// From datagrams to sockets.
Account inward(const UdpCounters& c, const wire::ReassemblyCounters& fragments) {
  return {
      .in = c.datagrams_received - fragments.fragments + fragments.assembled,
      .out = c.payloads_delivered,
      .lost = dropped(c, {UdpDrop::malformed, UdpDrop::unknown_session, UdpDrop::no_socket, UdpDrop::socket_refused})};
}

/// Between programs of ours, which keep to all the rules.
void require_never(Findings& findings, const std::string& who, const UdpCounters& c,
                   const wire::ReassemblyCounters& fragments) {
  findings.require(c.dropped_for(UdpDrop::malformed) == 0, who, "malformed datagrams");
  findings.require(c.dropped_for(UdpDrop::no_datagrams) == 0, who, "a peer that takes no datagrams");
  findings.require(c.dropped_for(UdpDrop::no_fragment_id) == 0, who, "out of fragment ids");
  findings.require(fragments.duplicates == 0, who, "fragments that came twice");
  findings.require(fragments.conflicting == 0, who, "fragments of two payloads under one id");
  findings.require(fragments.oversize == 0, who, "fragments of more than a payload");
}

/// Calls `visit(name, counters, counters of reassembly)` for every process that runs.
template <typename Visitor>
void for_each_process(Deployment& deployment, const Visitor& visit) {
  for (const auto& server : deployment.servers()) {
    if (server->running()) visit(server->host().name(), server->counters().udp, server->counters().reassembly);
  }
  for (const ClientSite& site : deployment.client_sites()) {
    ClientProcess& client = *site.client;
    if (client.running()) {
      visit(client.host().name(), client.state().counters.udp, client.state().counters.reassembly);
    }
  }
}

/// Calls `visit(name, state)` for every worker that runs.
template <typename Visitor>
void for_each_worker(Deployment& deployment, const Visitor& visit) {
  for (const auto& server : deployment.servers()) {
    if (!server->running()) continue;
    for (std::size_t i = 0; i < server->server().worker_count(); ++i) {
      visit(fmt::format("{} worker {}", server->host().name(), i), server->server().worker(i));
    }
  }
  for (const ClientSite& site : deployment.client_sites()) {
    if (site.client->running()) visit(site.client->host().name(), site.client->state());
  }
}

}  // namespace

std::vector<std::string> inspect_udp_limits(Deployment& deployment) {
  Findings findings;
  for_each_worker(deployment, [&](const std::string& who, const tunnel::WorkerState& state) {
    // The payload that reaches the limit still goes in, in chunks of which the first and the last may be all but empty.
    constexpr std::size_t kLastBytes = limits::kUdpPayloadBytesMax + 3 * Chunk::kAllocatedBytes;
    findings.require(state.udp.waiting.held_bytes() <= state.udp.waiting.bytes_max() + kLastBytes, who,
                     "more UDP waits than may");
    findings.require(state.udp.reassembly.held_bytes() <= state.udp.reassembly.bytes_max(), who,
                     "incomplete payloads hold more than they may");
  });
  for_each_process(
      deployment, [&](const std::string& who, const UdpCounters& c, const wire::ReassemblyCounters& fragments) {
        for (const Account& account : {outward(c), inward(c, fragments)}) {
          findings.require(account.in >= account.out + account.lost, who, "payloads out of nothing: " + account.text());
        }
        require_never(findings, who, c, fragments);
      });
  return findings.take();
}

std::vector<std::string> inspect_udp_accounts(Deployment& deployment) {
  Findings findings;
  for_each_worker(deployment, [&](const std::string& who, const tunnel::WorkerState& state) {
    findings.require(state.udp.waiting.held_bytes() == 0, who, "UDP waits at rest");
    findings.require(state.udp.reassembly.held_bytes() == 0, who, "incomplete payloads at rest");
  });
  for_each_process(deployment, [&](const std::string& who, const UdpCounters& c,
                                   const wire::ReassemblyCounters& fragments) {
    const std::uint64_t ended = c.sessions_idle + c.sessions_evicted + c.sessions_closed + c.sessions_lost;
    findings.require(c.sessions_opened == ended, who,
                     fmt::format("{} UDP sessions opened, {} ended", c.sessions_opened, ended));
    const Account out = outward(c);
    findings.require(out.in == out.out + out.lost, who, "payloads from sockets are not accounted for: " + out.text());
    const Account in = inward(c, fragments);
    findings.require(in.in == in.out + in.lost, who, "payloads for sockets are not accounted for: " + in.text());
  });
  return findings.take();
}

std::vector<std::string> inspect_udp_rest(Deployment& deployment) {
  std::vector<std::string> lines = inspect_udp_accounts(deployment);
  for (const auto& server : deployment.servers()) {
    std::size_t routes = 0;
    for (std::size_t i = 0; i < server->server().worker_count(); ++i) {
      for (std::size_t listener = 0; listener < server->listener_count(); ++listener) {
        routes += server->udp_route_count(i, listener);
      }
    }
    if (routes > 0) lines.push_back(fmt::format("{}: {} UDP routes at rest", server->host().name(), routes));
  }
  return lines;
}

std::vector<std::string> inspect_udp_network(const Plan& plan, Deployment& deployment) {
  Findings findings;
  if (!plan.faults.empty()) return {};
  std::array<std::uint64_t, 2> received{};
  std::array<std::uint64_t, 2> delivered{};
  for (const auto& server : deployment.servers()) {
    const UdpCounters c = server->counters().udp;
    received[static_cast<std::size_t>(Direction::up)] += c.payloads_received;
    delivered[static_cast<std::size_t>(Direction::down)] += c.payloads_delivered;
    findings.require(c.dropped_for(UdpDrop::no_client) == 0, server->host().name(), "no client for a visitor by UDP");
  }
  for (const ClientSite& site : deployment.client_sites()) {
    const UdpCounters& c = site.client->state().counters.udp;
    received[static_cast<std::size_t>(Direction::down)] += c.payloads_received;
    delivered[static_cast<std::size_t>(Direction::up)] += c.payloads_delivered;
  }
  const auto equal = [&](std::string_view what, std::uint64_t ours, std::uint64_t theirs) {
    findings.require(ours == theirs, "network", fmt::format("{}: {} and {}", what, ours, theirs));
  };
  equal("payloads that visitors sent, and servers received", plan.udp.sent_count(Direction::up), received[0]);
  // Which of a service's addresses is the right one is found out by what is sent to the wrong one.
  if (std::ranges::none_of(plan.clients, &ClientPlan::service_by_name)) {
    equal("payloads that clients delivered, and services received", delivered[0],
          plan.udp.arrived_count(Direction::up));
  }
  // Sessions end, and visitors leave, with answers on their way.
  findings.require(received[1] <= plan.udp.sent_count(Direction::down), "network",
                   "clients received more answers than were sent");
  findings.require(!plan.calm || received[1] + plan.udp.unasked_count() >= plan.udp.sent_count(Direction::down),
                   "network", "clients have not received all answers");
  findings.require(plan.udp.arrived_count(Direction::down) <= delivered[1], "network",
                   "visitors received more answers than servers delivered");
  return findings.take();
}

std::string describe_udp_drops(Deployment& deployment) {
  constexpr std::array<std::string_view, tunnel::kUdpDrops> kNames = {
      "no client",      "too many sessions", "mailbox full", "session gone",    "too large", "queue full",    "stale",
      "no fragment id", "no datagrams",      "malformed",    "unknown session", "no socket", "socket refused"};
  std::array<std::uint64_t, tunnel::kUdpDrops> sums{};
  for_each_process(deployment, [&](const std::string&, const UdpCounters& c, const wire::ReassemblyCounters&) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += c.dropped[i];
  });
  std::string text;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] > 0) text += fmt::format(", {} {}", sums[i], kNames[i]);
  }
  return text;
}

}  // namespace qmux::sim

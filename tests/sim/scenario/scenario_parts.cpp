// SPDX-License-Identifier: MIT
#include "sim/scenario/scenario_parts.h"

#include <fmt/format.h>

#include <vector>

namespace qmux::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration kSessionIdleTimeout = 10s;
}  // namespace

Place add_listener(Plan& plan) {
  std::erase_if(plan.faults, [](const FaultPlan& fault) {
    return fault.target == 0 && (fault.kind == FaultKind::server_crash || fault.kind == FaultKind::server_stop);
  });
  plan.servers[0].listeners.emplace_back().udp_options.session_idle_timeout = kSessionIdleTimeout;
  return {.server = 0, .listener = plan.servers[0].listeners.size() - 1};
}

std::size_t add_client(Plan& plan, const Place& place, const LinkProperties& link) {
  ClientPlan client;
  client.server = place.server;
  client.listener = place.listener;
  client.client_id = fmt::format("scenario-client-{}", plan.clients.size());
  client.to_server = client.from_server = link;
  client.transport.incoming_streams_max = 65'536;
  client.udp_options.session_idle_timeout = kSessionIdleTimeout;
  plan.clients.push_back(client);
  return plan.clients.size() - 1;
}

LinkProperties near_link(SeededRandom& random) { return {.delay = random.between(Duration(100us), Duration(3ms))}; }

VisitPlan& add_tcp_visit(Plan& plan, const Place& place, Duration at) {
  TunnelRecord& tunnel = plan.ledger.tunnels.emplace_back();
  tunnel.id = plan.ledger.tunnels.size() - 1;
  plan.tcp_visits.push_back({.server = place.server, .listener = place.listener, .at = at});
  return plan.tcp_visits.back();
}

VisitPlan& add_download(Plan& plan, const Place& place, Duration at, std::uint64_t bytes) {
  VisitPlan& visit = add_tcp_visit(plan, place, at);
  plan.ledger.tunnels.back().visitor_script.send_bytes = 100;
  plan.ledger.tunnels.back().service_script.send_bytes = bytes;
  return visit;
}

UdpVisitorRecord& add_udp_visit(Plan& plan, const Place& place, Duration at) {
  plan.udp_visits.push_back({.server = place.server, .listener = place.listener, .at = at});
  UdpVisitorRecord& visitor = plan.udp.visitors.emplace_back();
  visitor.id = static_cast<std::uint16_t>(plan.udp.visitors.size() - 1);
  visitor.script = {.payloads = 60, .pause = 100ms, .sizes = UdpSizes::small, .answer = UdpAnswer::echo};
  return visitor;
}

std::size_t count_under_way(const Plan& plan, std::size_t first, std::size_t last, Time at) {
  std::size_t count = 0;
  for (std::size_t i = first; i < last; ++i) {
    const TalkRecord& visitor = plan.ledger.tunnels[i].visitor;
    count += visitor.begun_at <= at && at < visitor.over_at ? 1 : 0;
  }
  return count;
}

Duration round_trip(const Plan& plan, const LinkProperties& link) {
  const LinkProperties& visitors = plan.visitors_link;
  return 2 * (visitors.delay + visitors.jitter + link.delay + link.jitter);
}

}  // namespace qmux::sim

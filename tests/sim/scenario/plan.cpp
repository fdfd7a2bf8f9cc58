// SPDX-License-Identifier: MIT
#include "sim/scenario/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/actors/script.h"
#include "sim/scenario/plan_udp.h"
#include "sim/scenario/scenarios.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMbit = 1'000'000;
constexpr Duration kVisitsTime = 20s;

LinkProperties draw_near_link(SeededRandom& random) {
  return {.delay = random.between(Duration(100us), Duration(3ms))};
}

LinkProperties draw_link(SeededRandom& random) {
  switch (random.between(0, 4)) {
    case 0:  // the same city
      return draw_near_link(random);
    case 1:  // a good line
      return {.delay = random.between(Duration(5ms), Duration(30ms)),
              .jitter = 1ms,
              .rate_bits_per_second = random.between(20, 200) * kMbit,
              .queue_bytes = random.between(32, 512) * 1024};
    case 2:  // a mobile one
      return {.delay = random.between(Duration(30ms), Duration(90ms)),
              .jitter = random.between(Duration(1ms), Duration(20ms)),
              .rate_bits_per_second = random.between(3, 30) * kMbit,
              .queue_bytes = random.between(32, 256) * 1024,
              .loss = 0.01 * static_cast<double>(random.between(0, 2)),
              .reordering = 0.01};
    case 3:  // a bad one
      return {.delay = random.between(Duration(50ms), Duration(200ms)),
              .jitter = 10ms,
              .rate_bits_per_second = random.between(1, 5) * kMbit,
              .queue_bytes = random.between(16, 64) * 1024,
              .loss = 0.03,
              .duplication = 0.02,
              .corruption = 0.01,
              .reordering = 0.05,
              .reordering_delay = 40ms};
    default:  // one through another tunnel
      return {.delay = random.between(Duration(5ms), Duration(50ms)),
              .rate_bits_per_second = random.between(10, 100) * kMbit,
              .mtu_bytes = random.between(1280, 1499),
              .congestion_mark_bytes = 20'000};
  }
}

quic::TransportConfig draw_transport(SeededRandom& random) {
  quic::TransportConfig config;
  if (random.chance(0.4)) config.congestion_control = quic::CongestionControl::cubic;
  if (random.chance(0.3)) config.keep_alive_period = random.between(Duration(1s), Duration(20s));
  if (random.chance(0.3)) {
    config.initial_stream_window_bytes = random.between(4, 64) * 1024;
    config.stream_window_bytes_max = config.initial_stream_window_bytes * random.between(1, 8);
    config.initial_connection_window_bytes = config.initial_stream_window_bytes * random.between(1, 4);
    config.connection_window_bytes_max =
        std::max(config.initial_connection_window_bytes, config.stream_window_bytes_max) * random.between(1, 4);
  }
  if (random.chance(0.3)) config.udp_payload_bytes_max = random.between(1200, 1500);
  return config;
}

ServerPlan draw_server(SeededRandom& random) {
  ServerPlan server;
  server.worker_count = random.between(1, 3);
  server.steering = !random.chance(0.2);
  if (random.chance(0.3)) server.balance = tunnel::Balance::round_robin;
  server.listeners.resize(random.chance(0.2) ? 2 : 1);
  for (ListenerPlan& listener : server.listeners) {
    listener.ipv6 = random.chance(0.3);
    listener.speaks_first = random.chance(0.2);
    listener.transport = draw_transport(random);
  }
  draw_protocols(random, server);
  return server;
}

ClientPlan draw_client(SeededRandom& random, std::size_t server, std::size_t listener, bool calm) {
  ClientPlan client;
  client.server = server;
  client.listener = listener;
  client.server_by_name = random.chance(0.2);
  client.behind_nat = random.chance(0.6);
  if (!calm && random.chance(0.3)) client.nat_idle_timeout = random.between(Duration(15s), Duration(60s));
  client.service_elsewhere = random.chance(0.3);
  client.to_server = calm ? draw_near_link(random) : draw_link(random);
  client.from_server = client.to_server;
  if (!calm && random.chance(0.2)) client.from_server = draw_link(random);
  client.transport = draw_transport(random);
  client.transport.incoming_streams_max = random.chance(0.15) ? random.between(2, 8) : 65'536;
  return client;
}

FaultPlan draw_fault(SeededRandom& random, const Plan& plan) {
  constexpr std::array kKinds = {FaultKind::nat_rebinding,  FaultKind::nat_rebinding,   FaultKind::path_shrinks,
                                 FaultKind::path_shrinks,   FaultKind::short_partition, FaultKind::short_partition,
                                 FaultKind::long_partition, FaultKind::server_crash,    FaultKind::server_stop,
                                 FaultKind::client_crash,   FaultKind::client_stop,     FaultKind::service_down};
  FaultPlan fault{.kind = kKinds[random.below(kKinds.size())]};
  const bool of_server = fault.kind == FaultKind::server_crash || fault.kind == FaultKind::server_stop;
  fault.target = random.below(of_server ? plan.servers.size() : plan.clients.size());
  fault.begin = random.between(Duration(100ms), kVisitsTime);
  fault.hard = random.chance(0.5);
  switch (fault.kind) {
    case FaultKind::nat_rebinding:
      break;
    case FaultKind::path_shrinks:
      fault.mtu_bytes = random.between(1280, 1450);
      fault.length = random.between(Duration(1s), Duration(20s));
      break;
    case FaultKind::short_partition:
      fault.length = random.between(Duration(50ms), Duration(5s));
      break;
    case FaultKind::long_partition:
      fault.length = random.between(Duration(40s), Duration(80s));
      break;
    default:
      fault.length = random.between(Duration(50ms), Duration(8s));
  }
  return fault;
}

/// One of the server's listeners that take TCP.
std::size_t draw_tcp_listener(SeededRandom& random, const ServerPlan& server) {
  const std::size_t listener = random.below(server.listeners.size());
  return server.listeners[listener].protocol != tunnel::VisitorProtocol::udp ? listener : 0;
}

void draw_tcp_visits(SeededRandom& random, Plan& plan, std::uint64_t seed) {
  plan.ledger.seed = seed;
  plan.tcp_visits.resize(random.between(2, 30));
  for (VisitPlan& visit : plan.tcp_visits) {
    visit.server = random.below(plan.servers.size());
    visit.listener = draw_tcp_listener(random, plan.servers[visit.server]);
    visit.at = random.between(Duration{}, kVisitsTime);
    TunnelRecord& tunnel = plan.ledger.tunnels.emplace_back();
    tunnel.id = plan.ledger.tunnels.size() - 1;
    draw_scripts(random, {}, tunnel);
  }
}

/// Their SYNs arrive around the moment at which the servers stop, or a while before it.
void draw_late_tcp_visits(SeededRandom& random, Plan& plan) {
  plan.stop_after = plan.visitors_link.delay + random.between(Duration(500us), Duration(200ms));
  for (std::size_t count = random.between(0, 4); count > 0; --count) {
    VisitPlan visit{.server = random.below(plan.servers.size())};
    visit.listener = draw_tcp_listener(random, plan.servers[visit.server]);
    visit.late = true;
    visit.at = random.chance(0.7)
                   ? plan.stop_after - plan.visitors_link.delay - random.between(Duration{}, Duration(200us))
                   : random.between(Duration{}, plan.stop_after);
    plan.tcp_visits.push_back(visit);
    TunnelRecord& tunnel = plan.ledger.tunnels.emplace_back();
    tunnel.id = plan.ledger.tunnels.size() - 1;
    draw_scripts(random, {}, tunnel);
  }
}

/// With which a run's kernels lose nothing to a reset.
constexpr double kLosslessResetsChance = 0.25;
/// Of a tunnel there: one side resets once TCP has acknowledged all that it has sent.
constexpr double kCloseAfterSendingChance = 0.4;

/// Whatever is missing before a reset then, the programs have lost.
void draw_lossless_resets(SeededRandom& random, Plan& plan) {
  if (!random.chance(kLosslessResetsChance)) return;
  plan.tcp.reset_purges_chance = plan.tcp.reset_overtakes_chance = 0;
  for (TunnelRecord& tunnel : plan.ledger.tunnels) {
    if (tunnel.silent) continue;
    tunnel.visitor_script.read_after_reset = tunnel.service_script.read_after_reset = true;
    if (!random.chance(kCloseAfterSendingChance)) continue;
    TalkScript& closing = random.chance(0.5) ? tunnel.visitor_script : tunnel.service_script;
    closing.close_after_sending = !closing.echo;
  }
}

/// Every listener gets a client or two.
void draw_clients(SeededRandom& random, Plan& plan) {
  for (std::size_t server = 0; server < plan.servers.size(); ++server) {
    for (std::size_t listener = 0; listener < plan.servers[server].listeners.size(); ++listener) {
      for (std::size_t count = random.between(1, 3); count > 0; --count) {
        plan.clients.push_back(draw_client(random, server, listener, plan.calm));
        const std::size_t number = random.chance(0.2) ? 0 : plan.clients.size() - 1;
        plan.clients.back().client_id = fmt::format("client-{}", number);
      }
    }
  }
}

}  // namespace

Plan draw_plan(std::uint64_t seed, std::string_view scenario) {
  SeededRandom random(seed, "plan");
  Plan plan;
  plan.calm = random.chance(0.15);
  if (random.chance(0.3)) plan.health = {.heartbeat_interval = 3s, .timeout = 25s};
  plan.servers.resize(random.chance(0.2) ? 2 : 1);
  for (ServerPlan& server : plan.servers) server = draw_server(random);
  draw_tcp_visits(random, plan, seed);
  draw_clients(random, plan);
  if (!plan.calm && random.chance(0.6)) {
    for (std::size_t count = random.between(1, 4); count > 0; --count) plan.faults.push_back(draw_fault(random, plan));
  }
  if (random.chance(0.3)) {
    plan.tcp.send_buffer_bytes = random.between(4, 64) * 1024;
    plan.tcp.receive_buffer_bytes = random.between(4, 64) * 1024;
  }
  plan.visitors_link = {.delay = random.between(Duration(100us), Duration(60ms)), .jitter = 1ms};
  draw_late_tcp_visits(random, plan);
  plan.intruder = random.chance(0.1);
  if (random.chance(0.5)) plan.interface_mtu_bytes = 1500;
  if (!plan.calm && random.chance(0.3)) plan.send_block_chance = 0.02;
  plan.udp = UdpLedger(seed);
  SeededRandom udp_random(seed, "plan of UDP");
  draw_udp(udp_random, plan, kVisitsTime);
  SeededRandom resets_random(seed, "plan of resets");
  draw_lossless_resets(resets_random, plan);
  draw_scenario(seed, scenario, plan);
  return plan;
}

bool FaultPlan::excuses_loss() const noexcept {
  switch (kind) {
    case FaultKind::nat_rebinding:
    case FaultKind::path_shrinks:
    case FaultKind::short_partition:
    case FaultKind::client_moves:
    case FaultKind::client_reloads:
    case FaultKind::server_reloads:
    case FaultKind::listener_goes:
      return false;
    case FaultKind::service_freezes:
    case FaultKind::client_freezes:
      return length > kHarmlessFreezeTimeMax;
    default:
      return true;
  }
}

std::string FaultPlan::text() const {
  constexpr std::array<std::string_view, 16> kNames = {
      "NAT rebinding", "shrinking path", "short partition", "moving client",  "client reloads", "server reloads",
      "listener goes", "long partition", "server crash",    "server stop",    "client crash",   "client stop",
      "service down",  "frozen service", "frozen client",   "vanished client"};
  return fmt::format("{} of {} at {} ms for {} ms{}", kNames[static_cast<std::size_t>(kind)], target,
                     begin / std::chrono::milliseconds(1), length / std::chrono::milliseconds(1), hard ? ", hard" : "");
}

}  // namespace qmux::sim

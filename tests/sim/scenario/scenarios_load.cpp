// SPDX-License-Identifier: MIT
//
// Many of something at once.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "sim/actors/script.h"
#include "sim/scenario/findings.h"
#include "sim/scenario/scenario_parts.h"
#include "sim/scenario/scenarios.h"

namespace qmux::sim {

using namespace std::chrono_literals;

namespace {

/// Below this the visitors have not been spread over many clients.
constexpr std::size_t kServingClientsMin = 5;

}  // namespace

void many_clients(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  plan.servers[0].listeners.back().protocol = tunnel::VisitorProtocol::both;
  const std::size_t names = random.between(3, 20);
  for (std::size_t count = random.between(20, 60); count > 0; --count) {
    ClientPlan& client = plan.clients[add_client(plan, place, near_link(random))];
    if (random.chance(0.4)) client.to_server.delay = client.from_server.delay = random.between(Duration(5ms), 90ms);
    client.client_id = fmt::format("one-of-many-{}", random.below(names));
    client.behind_nat = random.chance(0.5);
    client.server_by_name = random.chance(0.2);
  }
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t count = random.between(20, 60); count > 0; --count) {
    add_tcp_visit(plan, place, random.between(Duration{}, Duration(10s)));
    draw_scripts(random, {.bytes_max = 20'000, .greedy_chance = 0}, plan.ledger.tunnels.back());
  }
  const std::size_t last = plan.tcp_visits.size();
  for (std::size_t count = random.between(0, 10); count > 0; --count) {
    add_udp_visit(plan, place, random.between(Duration{}, Duration(10s)));
  }
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time) {
    std::set<std::string> services;
    for (std::size_t i = first; i < last; ++i) services.insert(lived.ledger.tunnels[i].served_by);
    services.erase("");
    Findings findings;
    findings.require(services.size() >= kServingClientsMin, "many_clients",
                     fmt::format("visitors were served by only {} clients", services.size()));
    return findings.take();
  });
}

namespace {

/// What a newcomer's handshake may wait for: its turn, and an Initial that was dropped and is sent again.
constexpr Duration kRegistersBesideStrangersWithin = 3s;

}  // namespace

void strangers(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  add_client(plan, place, near_link(random));
  for (int count = 0; count < 10; ++count) {
    add_download(plan, place, random.between(Duration{}, Duration(8s)), random.between(1, 100'000)).first_byte_within =
        500ms + 4 * round_trip(plan, plan.clients.back().to_server);
  }
  StrangersPlan& strangers = plan.strangers;
  strangers.kind = static_cast<StrangersPlan::Kind>(random.below(4));
  strangers.listener = place.listener;
  strangers.hosts = random.between(1, 3);
  // The others cost real handshakes.
  strangers.per_second =
      strangers.kind == StrangersPlan::Kind::garbage ? random.between(200, 800) : random.between(100, 200);
  strangers.begin = random.between(Duration(1s), Duration(2s));
  strangers.length = random.between(Duration(2s), Duration(3s));
  ClientPlan& newcomer = plan.clients[add_client(plan, place, near_link(random))];
  newcomer.joins_at = strangers.begin + random.between(Duration(500ms), Duration(1500ms));
  newcomer.registers_within = kRegistersBesideStrangersWithin;
}

namespace {

constexpr Duration kNarrowTunnelsBeginWithin = 2s;

}  // namespace

void narrow_link(SeededRandom& random, Plan& plan) {
  plan.faults.clear();
  plan.calm = false;  // what it carries of UDP waits too long
  const Place place = add_listener(plan);
  plan.servers[0].listeners.back().protocol = tunnel::VisitorProtocol::both;
  const std::uint64_t rate = random.between(1, 8) * 1'000'000;
  const LinkProperties link{.delay = random.between(Duration(2ms), Duration(40ms)),
                            .jitter = 1ms,
                            .rate_bits_per_second = rate,
                            .queue_bytes = random.between(32, 256) * 1024};
  const std::size_t client = add_client(plan, place, link);
  if (random.chance(0.5)) plan.clients[client].transport.congestion_control = quic::CongestionControl::cubic;
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t tunnels = random.between(100, 400);
  // So that all last for some seconds.
  const std::uint64_t bytes = rate / 8 * 8 / tunnels;
  for (std::size_t i = 0; i < tunnels; ++i) {
    add_download(plan, place, random.between(Duration{}, kNarrowTunnelsBeginWithin),
                 random.between(bytes / 2, bytes * 3 / 2));
    if (random.chance(0.3)) {
      TunnelRecord& tunnel = plan.ledger.tunnels.back();
      std::swap(tunnel.visitor_script.send_bytes, tunnel.service_script.send_bytes);
    }
  }
  for (std::size_t count = random.between(0, 5); count > 0; --count) {
    add_udp_visit(plan, place, random.between(Duration{}, Duration(8s)));
  }
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time begun) {
    const std::size_t at_once = count_under_way(lived, first, first + tunnels, begun + kNarrowTunnelsBeginWithin);
    Findings findings;
    findings.require(at_once >= tunnels / 2, "narrow_link",
                     fmt::format("{} of {} tunnels were under way at once", at_once, tunnels));
    return findings.take();
  });
}

namespace {

/// From its connection to the first byte of the answer, beside the path's round trips: what the program may add.
constexpr Duration kFirstByteOnCrowdedLink = 300ms;
constexpr std::uint64_t kCrowdedBitsPerSecond = 4'000'000;
constexpr std::size_t kCrowdedDownloads = 60;

}  // namespace

void crowded_link(SeededRandom& random, Plan& plan) {
  plan.faults.clear();
  const Place place = add_listener(plan);
  const LinkProperties link{.delay = random.between(Duration(1ms), Duration(20ms)),
                            .rate_bits_per_second = kCrowdedBitsPerSecond,
                            .queue_bytes = std::size_t{64} * 1024};
  add_client(plan, place, link);
  plan.clients.back().from_server.rate_bits_per_second = 20'000'000;
  // So that they last for longer than the others come.
  const std::uint64_t bytes = kCrowdedBitsPerSecond / 8 * 10 / kCrowdedDownloads;
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t i = 0; i < kCrowdedDownloads; ++i) {
    add_download(plan, place, random.between(Duration{}, Duration(500ms)), bytes);
  }
  for (Duration at = 3s; at < 9s; at += random.between(Duration(500ms), Duration(1500ms))) {
    add_download(plan, place, at, random.between(1, 1'000)).first_byte_within =
        kFirstByteOnCrowdedLink + round_trip(plan, link);
  }
  const std::size_t last = plan.tcp_visits.size();
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time) {
    Findings findings;
    for (std::size_t i = first + kCrowdedDownloads; i < last; ++i) {
      const Time came = lived.ledger.tunnels[i].visitor.begun_at;
      const std::size_t beside = count_under_way(lived, first, first + kCrowdedDownloads, came);
      findings.require(beside >= kCrowdedDownloads / 2, "crowded_link",
                       fmt::format("visitor {} came beside only {} downloads", i, beside));
    }
    return findings.take();
  });
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Clients and visitors that stand still, or vanish without closing anything.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/limits.h"
#include "quic/limits.h"
#include "sim/scenario/deployment.h"
#include "sim/scenario/findings.h"
#include "sim/scenario/scenario_parts.h"
#include "sim/scenario/scenarios.h"
#include "tunnel/limits.h"

namespace qmux::sim {

using namespace std::chrono_literals;

namespace {

/// What timers, passes and resets need on their way, beside the path.
constexpr Duration kPromptly = 500ms;

std::string name_of(std::size_t tunnel) { return fmt::format("tunnel {}", tunnel); }

}  // namespace

void frozen_client(SeededRandom& random, Plan& plan) {
  plan.send_block_chance = 0;  // it loses UDP
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t frozen = add_client(plan, place, link);
  const std::size_t live = add_client(plan, place, link);
  FaultPlan freeze{.kind = FaultKind::client_freezes, .target = frozen};
  freeze.begin = random.between(Duration(2s), Duration(3s));
  freeze.length = random.chance(0.7) ? random.between(Duration(3s), kHarmlessFreezeTimeMax)
                                     : random.between(Duration(35s), Duration(50s));
  plan.faults.push_back(freeze);
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(30, 60);
  for (std::size_t i = 0; i < count; ++i) {
    add_download(plan, place, random.between(Duration{}, Duration(12s)), random.between(1, 50'000));
  }
  // Tunnels that stand still with it, some with nothing to carry and some with much. So many that one is the frozen client's.
  for (int i = 0; i < 8; ++i) {
    add_download(plan, place, random.between(Duration{}, Duration(1s)), random.between(1, 4'000'000));
    plan.ledger.tunnels.back().service_script.think = freeze.begin + 500ms;
  }

  const Place beside = add_listener(plan);
  plan.servers[0].listeners.back().protocol = tunnel::VisitorProtocol::both;
  add_client(plan, beside, link);
  for (std::size_t visits = random.between(2, 6); visits > 0; --visits) {
    add_udp_visit(plan, beside, random.between(Duration{}, freeze.begin)).nothing_lost = true;
  }
  const Duration promptly = kPromptly + 3 * round_trip(plan, link);
  plan.promises.push_back([=](const Plan& lived, Deployment& deployment, Time begun) {
    Findings findings;
    const std::string& living = deployment.client_sites()[live].service->name();
    const Time begin = begun + freeze.begin;
    const Time end = begin + freeze.length;
    Time offered = kNever;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      const Time came = tunnel.visitor.begun_at;
      if (tunnel.served_by == living) {
        findings.require(tunnel.visitor.first_byte_at && *tunnel.visitor.first_byte_at - came <= promptly, name_of(i),
                         "a frozen client held up a visitor of the live one");
      } else if (came >= begin && came < end) {
        offered = std::min(offered, came);
      }
    }
    const std::string& standing = deployment.client_sites()[frozen].service->name();
    const bool held = std::ranges::any_of(lived.ledger.tunnels, [&](const TunnelRecord& tunnel) {
      return tunnel.served_by == standing && tunnel.visitor.begun_at < begin && tunnel.visitor.over_at >= end;
    });
    findings.require(held || freeze.excuses_loss(), "frozen_client", "no visitor was with the client that froze");
    if (offered == kNever) return findings.take();
    const Time known = offered + 2 * limits::kPathSilenceLookMin + promptly;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      const Time came = tunnel.visitor.begun_at;
      const bool served_frozen = came >= known && came + promptly < end;  // not on its way when the client goes on
      findings.require(!served_frozen || tunnel.served_by == living, name_of(i),
                       "a visitor was given to a client that had shown no sign of life");
    }
    return findings.take();
  });
}

void roaming_client(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  LinkProperties link = near_link(random);
  link.delay = random.between(Duration(1ms), Duration(50ms));
  const std::size_t roaming = add_client(plan, place, link);
  plan.clients[roaming].behind_nat = random.chance(0.3);
  plan.clients[roaming].service_elsewhere = true;
  std::vector<Duration> moves;
  for (std::size_t left = random.between(1, 3); left > 0; --left) {
    moves.push_back(random.between(Duration(1s), Duration(10s)));
    plan.faults.push_back({.kind = FaultKind::client_moves, .target = roaming, .begin = moves.back(), .length = 1s});
  }
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(10, 40);
  for (std::size_t i = 0; i < count; ++i) {
    add_download(plan, place, random.between(Duration{}, Duration(12s)), random.between(1, 2'000'000));
    TunnelRecord& tunnel = plan.ledger.tunnels.back();
    tunnel.service_script.think = random.between(Duration{}, Duration(4s));
    if (random.chance(0.3)) tunnel.visitor_script.send_bytes = random.between(1, 1'000'000);
  }
  // One that is there, silent, when the client moves.
  add_download(plan, place, moves.front() - 500ms, 10'000);
  plan.ledger.tunnels.back().service_script.think = 1s;
  const Duration found_within = 1s + kPromptly + 6 * round_trip(plan, link);
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time begun) {
    Findings findings;
    bool kept = false;
    for (std::size_t i = first; i < first + count + 1; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      findings.require(tunnel.visitor.complete() && tunnel.service.complete(), name_of(i),
                       "a visitor lost its tunnel to a change of the client's address");
      findings.require(tunnel.service.begun && tunnel.service.begun_at - tunnel.visitor.begun_at <= found_within,
                       name_of(i), "a visitor waited for a client whose address had changed");
      for (const Duration move : moves) {
        kept = kept || (tunnel.visitor.begun_at < begun + move && tunnel.visitor.over_at > begun + move);
      }
    }
    findings.require(kept, "roaming_client", "no visitor was there when the client moved");
    return findings.take();
  });
}

void vanished_client(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t gone = add_client(plan, place, link);
  if (random.chance(0.5)) add_client(plan, place, link);
  FaultPlan vanish{.kind = FaultKind::client_vanishes, .target = gone};
  vanish.begin = random.between(Duration(3s), Duration(6s));
  vanish.length = random.between(Duration(60s), Duration(80s));
  plan.faults.push_back(vanish);
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(10, 30);
  for (std::size_t i = 0; i < count; ++i) {
    add_download(plan, place, random.between(Duration{}, vanish.begin), random.between(100'000, 2'000'000));
    // So that many are there when it vanishes; some have much to read, others nothing.
    TunnelRecord& tunnel = plan.ledger.tunnels.back();
    tunnel.service_script.think = random.between(Duration{}, Duration(10s));
    tunnel.service_script.write_bytes_max = 16'384;
    tunnel.service_script.write_pause = random.between(Duration(10ms), Duration(100ms));
  }
  const Duration noticed_within =
      plan.health.timeout + plan.health.heartbeat_interval + kPromptly + round_trip(plan, link);
  plan.promises.push_back([=](const Plan& lived, Deployment& deployment, Time begun) {
    Findings findings;
    std::size_t cut = 0;
    const Time at = begun + vanish.begin;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      if (tunnel.visitor.over_at <= at || tunnel.served_by != deployment.client_sites()[gone].service->name()) continue;
      ++cut;
      findings.require(tunnel.visitor.over_at <= at + noticed_within, name_of(i),
                       "the visitor of a client that is gone was held for longer than its health timeout");
    }
    findings.require(cut > 0, "vanished_client", "no visitor was with the client that vanished");
    return findings.take();
  });
}

void vanished_visitor(SeededRandom& random, Plan& plan) {
  plan.servers[0].tcp_keep_alive = std::chrono::seconds(random.between(1, 5));
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  add_client(plan, place, link);
  plan.visitors_vanish_at = random.between(Duration(3s), Duration(6s));
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(5, 20);
  for (std::size_t i = 0; i < count; ++i) {
    add_download(plan, place, random.between(Duration{}, plan.visitors_vanish_at - 1s), random.between(1, 1'000'000))
        .vanishes = true;
    TunnelRecord& tunnel = plan.ledger.tunnels.back();
    tunnel.visitor_script.finish_after_fin = true;
    tunnel.service_script.write_pause = random.between(Duration{}, Duration(100ms));
    if (i == 0 || random.chance(0.3)) {  // nothing is under way when it vanishes
      tunnel.service_script.finish_after_fin = true;
    } else if (random.chance(0.3)) {  // much has come from it, and is read slowly
      tunnel.visitor_script.send_bytes = 200'000;
      tunnel.service_script.read_bytes_max = 4'096;
      tunnel.service_script.read_pause = random.between(Duration{}, Duration(100ms));
    }
  }
  const Duration noticed_within = plan.servers[0].tcp_keep_alive * (1 + limits::kTcpProbesMax) + kPromptly;
  // What it sent before follows as long as it moves.
  const Duration reported_within = noticed_within + Duration(limits::kLastBytesTimeMax) + round_trip(plan, link);
  const Time::duration at = plan.visitors_vanish_at;
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time begun) {
    Findings findings;
    std::size_t open = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      if (!tunnel.service.begun || tunnel.service.over_at <= begun + at || tunnel.visitor.sent_fin) continue;
      ++open;
      const bool much_to_read = tunnel.visitor_script.send_bytes > tunnel.service.received_bytes ||
                                tunnel.service_script.read_pause > Duration{};
      findings.require(tunnel.service.over && !tunnel.service.received_fin, name_of(i),
                       "a visitor that is gone looks as if it had ended in order");
      findings.require(tunnel.service.over_at <=
                           begun + at + (much_to_read ? reported_within : noticed_within + round_trip(lived, link)),
                       name_of(i), "the local service was notified late that its visitor is gone");
    }
    findings.require(open > 0, "vanished_visitor", "no visitor was there to vanish");
    return findings.take();
  });
}

}  // namespace qmux::sim

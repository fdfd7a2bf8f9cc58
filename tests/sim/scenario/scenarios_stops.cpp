// SPDX-License-Identifier: MIT
//
// Clients and servers that are stopped in order, or change while they run, with visitors.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/scenario/deployment.h"
#include "sim/scenario/findings.h"
#include "sim/scenario/scenario_parts.h"
#include "sim/scenario/scenarios.h"
#include "tunnel/options.h"

namespace qmux::sim {

using namespace std::chrono_literals;

namespace {

/// From the signal until a server takes note, beside the path.
constexpr Duration kPromptly = 200ms;

std::string name_of(std::size_t tunnel) { return fmt::format("tunnel {}", tunnel); }

bool is_complete(const TunnelRecord& tunnel) { return tunnel.visitor.complete() && tunnel.service.complete(); }

/// An orderly stop, and a start once the time to drain is over.
FaultPlan add_stop(Plan& plan, FaultKind kind, std::size_t target, Duration begin) {
  plan.faults.push_back({.kind = kind, .target = target, .begin = begin, .length = tunnel::kDrainTimeoutDefault + 2s});
  return plan.faults.back();
}

/// A download that takes no longer than the time to drain.
void add_short_download(SeededRandom& random, Plan& plan, const Place& place, Duration at) {
  add_download(plan, place, at, random.between(1, 1'000'000));
  plan.ledger.tunnels.back().service_script.think = random.between(Duration{}, Duration(6s));
}

/// Visits `first` to `last` - 1 complete. One of those from `kept_first` on must be there at one of these moments. `notice`: what
/// a visitor that does not complete has noticed.
void promise_unnoticed(Plan& plan, std::size_t first, std::size_t last, std::size_t kept_first,
                       std::vector<Duration> moments, const char* notice) {
  const std::string scenario(plan.scenario);
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time begun) {
    Findings findings;
    bool kept = false;
    for (std::size_t i = first; i < last; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      findings.require(is_complete(tunnel), name_of(i), fmt::format("a visitor noticed {}", notice));
      kept = kept || (i >= kept_first && std::ranges::any_of(moments, [&](Duration at) {
                        return tunnel.visitor.begun_at < begun + at && tunnel.visitor.over_at > begun + at;
                      }));
    }
    findings.require(kept, scenario, "no visitor was there at that moment");
    return findings.take();
  });
}

}  // namespace

void draining_client(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t leaving = add_client(plan, place, link);
  add_client(plan, place, link);
  plan.clients[leaving].drain_timeout = tunnel::kDrainTimeoutDefault;
  const FaultPlan stop = add_stop(plan, FaultKind::client_stop, leaving, random.between(Duration(2s), Duration(6s)));
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(40, 80);
  for (std::size_t i = 0; i < count; ++i) {
    add_short_download(random, plan, place, random.between(Duration{}, Duration(12s)));
  }
  const Duration promptly = kPromptly + round_trip(plan, link);
  plan.promises.push_back([=](const Plan& lived, Deployment& deployment, Time begun) {
    const std::string& gone = deployment.client_sites()[leaving].service->name();
    const Time at = begun + stop.begin;
    Findings findings;
    bool kept = false;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      const bool with_it = tunnel.served_by == gone;
      findings.require(is_complete(tunnel), name_of(i), "a visitor noticed that a client was stopped in order");
      findings.require(
          !with_it || tunnel.visitor.begun_at < at + promptly || tunnel.visitor.begun_at > at + stop.length, name_of(i),
          "a visitor was given to a client that drains");
      kept = kept || (with_it && tunnel.visitor.begun_at < at && tunnel.visitor.over_at > at + promptly);
    }
    findings.require(kept, "draining_client", "no visitor was with the client that was stopped");
    return findings.take();
  });
}

void draining_server(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  add_client(plan, place, link);
  if (random.chance(0.5)) add_client(plan, place, link);
  plan.servers[0].drain_timeout = tunnel::kDrainTimeoutDefault;
  plan.calm = false;  // the server's UDP ends with it
  const FaultPlan stop = add_stop(plan, FaultKind::server_stop, 0, random.between(Duration(4s), Duration(8s)));
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t before = random.between(20, 40);
  for (std::size_t i = 0; i < before; ++i) {
    add_short_download(random, plan, place, random.between(Duration{}, stop.begin - kPromptly));
  }
  const std::size_t after = random.between(5, 20);
  for (std::size_t i = 0; i < after; ++i) {
    add_short_download(random, plan, place, stop.begin + stop.length + random.between(Duration{}, Duration(5s)));
  }
  promise_unnoticed(plan, first, first + before + after, first, {stop.begin}, "that a server was stopped in order");
}

void reloading_client(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t client = add_client(plan, place, link);
  plan.clients[client].drain_timeout = tunnel::kDrainTimeoutDefault;
  std::vector<Duration> reloads;
  for (std::size_t left = random.between(1, 6); left > 0; --left) {
    reloads.push_back(random.between(Duration(1s), Duration(12s)));
    plan.faults.push_back({.kind = FaultKind::client_reloads, .target = client, .begin = reloads.back()});
  }
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t left = random.between(20, 60); left > 0; --left) {
    add_short_download(random, plan, place, random.between(Duration{}, Duration(13s)));
  }
  promise_unnoticed(plan, first, plan.tcp_visits.size(), first, reloads, "that its client reloaded");
}

void reloading_server(SeededRandom& random, Plan& plan) {
  const LinkProperties link = near_link(random);
  const Place staying = add_listener(plan);
  add_client(plan, staying, link);
  add_client(plan, staying, link);
  const Place going = add_listener(plan);
  add_client(plan, going, link);
  plan.servers[0].drain_timeout = tunnel::kDrainTimeoutDefault;
  for (std::size_t left = random.between(3, 12); left > 0; --left) {
    plan.faults.push_back({.kind = FaultKind::server_reloads, .begin = random.between(Duration(1s), Duration(12s))});
  }
  const FaultPlan gone{.kind = FaultKind::listener_goes,
                       .listener = going.listener,
                       .begin = random.between(Duration(4s), Duration(8s)),
                       .length = random.between(Duration(1ms), Duration(30s))};
  plan.faults.push_back(gone);
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t left = random.between(20, 60); left > 0; --left) {
    add_short_download(random, plan, staying, random.between(Duration{}, Duration(12s)));
  }
  const std::size_t first_going = plan.tcp_visits.size();
  for (std::size_t left = random.between(10, 30); left > 0; --left) {
    add_short_download(random, plan, going, random.between(Duration{}, gone.begin - kPromptly));
  }
  for (std::size_t left = random.between(5, 20); left > 0; --left) {
    add_short_download(random, plan, going, gone.begin + gone.length + random.between(Duration{}, Duration(5s)));
  }
  promise_unnoticed(plan, first, plan.tcp_visits.size(), first_going, {gone.begin}, "a reload");
}

}  // namespace qmux::sim

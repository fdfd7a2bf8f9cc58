// SPDX-License-Identifier: MIT
//
// Local services that do not serve as they should.
#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/deployment.h"
#include "sim/scenario/findings.h"
#include "sim/scenario/scenario_parts.h"
#include "sim/scenario/scenarios.h"
#include "tunnel/limits.h"

namespace qmux::sim {

using namespace std::chrono_literals;

namespace {

/// What resets and refusals need on their way, beside the path.
constexpr Duration kPromptly = 500ms;

std::string name_of(const TunnelRecord& tunnel) { return fmt::format("tunnel {}", tunnel.id); }

}  // namespace

void hanging_service(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t client = add_client(plan, place, link);
  plan.clients[client].service_elsewhere = true;
  plan.clients[client].service_backlog = random.between(2, 8);
  FaultPlan hang{
      .kind = FaultKind::service_freezes, .target = client, .begin = random.between(Duration(1s), Duration(2s))};
  const bool long_one = random.chance(0.5);
  hang.length =
      long_one ? random.between(Duration(15s), Duration(25s)) : random.between(Duration(1s), kHarmlessFreezeTimeMax);
  plan.faults.push_back(hang);
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t count = random.between(20, 60); count > 0; --count) {
    add_download(plan, place, random.between(Duration{}, hang.begin + hang.length), random.between(1, 50'000));
    plan.ledger.tunnels.back().visitor_script.send_bytes = random.between(1, 50'000);
  }
  const Duration refused_within = Duration(limits::kDialTimeout) + kPromptly + 2 * round_trip(plan, link);
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time begun) {
    Findings findings;
    std::size_t waited = 0;
    for (std::size_t i = first; i < lived.tcp_visits.size(); ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      if (tunnel.arrivals_count > 0) {
        waited += tunnel.visitor.begun_at < begun + hang.begin + hang.length &&
                          tunnel.service.begun_at >= begun + hang.begin + hang.length
                      ? 1
                      : 0;
      } else if (!lived.tcp_visits[i].late) {
        findings.require(tunnel.visitor.over_at - tunnel.visitor.begun_at <= refused_within, name_of(tunnel),
                         "a visitor waits for a service that takes none for longer than a dial may last");
      }
    }
    findings.require(waited > 0, "hanging_service", "no visitor has waited for the service");
    return findings.take();
  });
}

void dead_service(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  Duration slowest{};
  for (std::size_t count = random.between(1, 3); count > 0; --count) {
    const LinkProperties link = near_link(random);
    const std::size_t client = add_client(plan, place, link);
    slowest = std::max(slowest, round_trip(plan, link));
    plan.faults.push_back(
        {.kind = FaultKind::service_down, .target = client, .begin = {}, .length = 15s, .hard = true});
  }
  const std::size_t first = plan.tcp_visits.size();
  for (std::size_t count = random.between(5, 30); count > 0; --count) {
    add_download(plan, place, random.between(Duration(100ms), Duration(14s)), 1'000).over_within =
        kPromptly + 4 * slowest;
  }
  // Whatever penalty the clients have by then: nothing else serves these.
  add_download(plan, place, 16s, 1'000).first_byte_within = kPromptly + 4 * slowest;
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time) {
    Findings findings;
    std::size_t refused = 0;
    for (std::size_t i = first; i < lived.tcp_visits.size(); ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      if (lived.tcp_visits[i].at > 15s) continue;
      refused += tunnel.arrivals_count == 0 && tunnel.visitor.received_reset ? 1 : 0;
      findings.require(!tunnel.visitor.received_fin, name_of(tunnel),
                       "a dead service looks as if it had ended in order");
    }
    findings.require(refused > 0, "dead_service", "no visitor came to the dead service");
    return findings.take();
  });
}

namespace {

/// Dials under way when the first one fails, and one each time that a penalty ends.
constexpr std::size_t kDeadDialsMax = 8;

}  // namespace

void avoided_service(SeededRandom& random, Plan& plan) {
  const Place place = add_listener(plan);
  const LinkProperties link = near_link(random);
  const std::size_t dead = add_client(plan, place, link);
  add_client(plan, place, link);
  plan.faults.push_back({.kind = FaultKind::service_down, .target = dead, .begin = {}, .length = 20s, .hard = true});
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(20, 60);
  for (std::size_t i = 0; i < count; ++i) {
    add_download(plan, place, random.between(Duration(100ms), Duration(18s)), 1'000).over_within =
        kPromptly + 6 * round_trip(plan, link);
  }
  plan.promises.push_back([=](const Plan& lived, Deployment& deployment, Time) {
    std::size_t served = 0;
    for (std::size_t i = first; i < first + count; ++i) served += lived.ledger.tunnels[i].arrivals_count;
    const std::uint64_t dials = deployment.client_sites()[dead].client->state().counters.dials_failed;
    Findings findings;
    findings.require(dials > 0, "avoided_service", "no visitor came to the dead service");
    findings.require(dials <= kDeadDialsMax, "avoided_service",
                     fmt::format("{} of {} visitors came to the dead service beside a live one", dials, count));
    findings.require(served == count, "avoided_service",
                     fmt::format("{} of {} visitors were served by the live one", served, count));
    return findings.take();
  });
}

void early_answer(SeededRandom& random, Plan& plan) {
  // Kernels that drop nothing for a reset: what is lost then, the program has lost.
  plan.tcp.reset_purges_chance = plan.tcp.reset_overtakes_chance = 0;
  const Place place = add_listener(plan);
  for (std::size_t clients = random.between(1, 2); clients > 0; --clients) {
    LinkProperties link = near_link(random);
    if (random.chance(0.5)) {
      link = {.delay = random.between(Duration(5ms), Duration(60ms)),
              .rate_bits_per_second = random.between(5, 50) * 1'000'000,
              .loss = 0.01 * static_cast<double>(random.between(0, 2))};
    }
    add_client(plan, place, link);
  }
  const std::size_t first = plan.tcp_visits.size();
  const std::size_t count = random.between(5, 20);
  for (std::size_t i = 0; i < count; ++i) {
    add_tcp_visit(plan, place, random.between(Duration{}, Duration(10s)));
    TunnelRecord& tunnel = plan.ledger.tunnels.back();
    tunnel.visitor_script.send_bytes = random.between(20'000, 600'000);
    tunnel.visitor_script.read_after_reset = true;
    if (random.chance(0.3)) {
      tunnel.visitor_script.read_bytes_max = random.between(256, 8'192);
      tunnel.visitor_script.read_pause = random.between(Duration{}, Duration(10ms));
    }
    // It reads the beginning of the request and answers, at once or a little later.
    tunnel.service_script.stall_after_bytes = random.between(1, 5'000);
    tunnel.service_script.stall = 5min;
    tunnel.service_script.read_bytes_max = 4'096;
    tunnel.service_script.send_bytes = random.between(1, 300'000);
    tunnel.service_script.think = random.between(Duration{}, Duration(300ms));
    tunnel.service_script.close_after_sending = true;
  }
  plan.promises.push_back([=](const Plan& lived, Deployment&, Time) {
    std::size_t early = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      const TunnelRecord& tunnel = lived.ledger.tunnels[i];
      early += tunnel.service.sent_reset && tunnel.visitor.received_reset ? 1 : 0;
    }
    Findings findings;
    findings.require(early == count, "early_answer",
                     fmt::format("{} of {} visitors were answered early", early, count));
    return findings.take();
  });
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
#include "sim/scenario/run.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

#include "sim/actors/audit.h"
#include "sim/actors/script.h"
#include "sim/actors/udp_audit.h"
#include "sim/pins/system_pins.h"
#include "sim/scenario/deployment.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/inspection.h"
#include "sim/scenario/inspection_udp.h"
#include "sim/scenario/plan_udp.h"
#include "sim/scenario/strangers.h"
#include "sim/world/network.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

/// Handshakes over the worst of links, several times over.
constexpr Duration kRegisterTimeMax = 60s;
/// From the last fault on: health timeouts, then backoff.
constexpr Duration kRecoverTimeMax = 150s;
/// From when all are registered again, for some packet of each visitor's by UDP to get through the worst of links.
constexpr Duration kProbesAnsweredTimeMax = 60s;
constexpr Duration kVisitsTimeMax = 20min;
constexpr Duration kBacklogInspectionInterval = 200ms;
/// Acknowledgements and the last closing packets.
constexpr Duration kQuietTimeMax = 60s;
/// A session is over its time when its last packet arrives.
constexpr Duration kSessionEndTimeMax = 1s;
constexpr Duration kIdleTime = 90s;
constexpr Duration kStopTimeMax = 10s;

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

class Run {
 public:
  Run(std::uint64_t seed, const RunSettings& settings, Tracing tracing)
      : plan_(draw_plan(seed, settings.scenario)), world_(seed), pins_(world_) {
    if (tracing == Tracing::off) world_.trace().turn_off();
    if (tracing == Tracing::printed) world_.trace().set_sink(print_line);
    deployment_.emplace(world_, plan_, settings.credentials);
    faults_.emplace(world_, plan_, *deployment_);
    if (plan_.strangers.hosts > 0) {
      const Address server = deployment_->servers()[plan_.strangers.server]->quic_address(plan_.strangers.listener);
      strangers_.emplace(world_, plan_.strangers, server, settings.credentials);
    }
  }

  Verdict judge() {
    deployment_->start();
    if (expect(wait([&] { return deployment_->all_registered(); }, kRegisterTimeMax), "clients did not register")) {
      run_visits();
      wait_for_rest();
      stay_idle();
    }
    stop_all();
    end_all();
    return {.violations = std::move(violations_),
            .trace_hash = world_.trace().hash(),
            .event_count = world_.trace().event_count(),
            .summary = describe(),
            .scenario = plan_.scenario};
  }

 private:
  bool expect(bool holds, std::string what) {
    if (!holds) violations_.push_back(std::move(what));
    return holds;
  }
  void note(std::vector<std::string> violations) {
    for (std::string& violation : violations) violations_.push_back(std::move(violation));
  }
  bool wait(const std::function<bool()>& done, Duration at_most) { return world_.run_until(done, at_most); }

  void run_visits() {
    for (std::size_t i = 0; i < plan_.tcp_visits.size(); ++i) {
      if (!plan_.tcp_visits[i].late)
        world_.after(plan_.tcp_visits[i].at, [this, i] { deployment_->begin_tcp_visit(i); });
    }
    for (std::size_t i = 0; i < plan_.udp_visits.size(); ++i) {
      if (!plan_.udp_visits[i].late)
        world_.after(plan_.udp_visits[i].at, [this, i] { deployment_->begin_udp_visit(i); });
    }
    begun_ = world_.now();
    faults_->schedule();
    schedule_scenario();
    inspect_periodically();
    wait([&] { return faults_->over() && all_joined(); }, 5min);
    expect(wait([&] { return deployment_->all_registered(); }, kRecoverTimeMax),
           "clients did not come back after the faults");
    faults_->all_back();
    deployment_->send_probes();
    expect(wait([&] { return deployment_->all_probes_answered(); }, kProbesAnsweredTimeMax),
           "probes of visitors by UDP reach no local service");
    wait([&] { return deployment_->all_visits_over(); }, kVisitsTimeMax);
    visits_over_ = true;
    note(audit(
        plan_.ledger, [&](const TunnelRecord& tunnel) { return faults_->excuse(tunnel); }, deployment_->cut_count()));
    note(inspect_figures(plan_));
    for (const Promise& promise : plan_.promises) note(promise(plan_, *deployment_, begun_));
    if (strangers_) expect(strangers_->attempts_count() > 0, "strangers: no stranger asked for a handshake");
  }

  void schedule_scenario() {
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
      const ClientPlan& client = plan_.clients[i];
      if (client.joins_at == Duration{}) continue;
      world_.after(client.joins_at, [this, i] { deployment_->join(i); });
      world_.after(client.joins_at + client.registers_within, [this, i] {
        expect(deployment_->client_sites()[i].client->registered(),
               fmt::format("client {} did not register in time", i));
      });
    }
    if (strangers_) strangers_->schedule();
    if (plan_.visitors_vanish_at > Duration{})
      world_.after(plan_.visitors_vanish_at, [this] { deployment_->visitors_vanish(); });
  }

  [[nodiscard]] bool all_joined() { return std::ranges::none_of(deployment_->client_sites(), &ClientSite::away); }

  void inspect_periodically() {
    note(inspect_backlogs(plan_));
    note(inspect_udp_limits(*deployment_));
    note(inspect_handshakes(*deployment_));
    if (!visits_over_ && violations_.empty()) {
      world_.after(kBacklogInspectionInterval, [this] { inspect_periodically(); });
    }
  }

  void wait_for_rest() {
    // Services that send unasked fall silent, and sessions end.
    world_.run_for(UdpService::kUnaskedTimeMax + session_time_max(plan_) + kSessionEndTimeMax);
    wait([&] { return inspect_rest(*deployment_).empty() && inspect_udp_rest(*deployment_).empty(); }, kQuietTimeMax);
    note(inspect_rest(*deployment_));
    note(inspect_udp_rest(*deployment_));
  }

  /// Quiet connections last, whatever NAT boxes forget meanwhile.
  void stay_idle() {
    world_.run_for(kIdleTime);
    expect(wait([&] { return deployment_->all_registered(); }, kQuietTimeMax),
           "clients were lost while nothing happened");
    if (deployment_->intruder() != nullptr) expect(!deployment_->intruder()->registered(), "an intruder was let in");
    note(inspect_losses(*deployment_, faults_->any_loss_excused()));
    udp_summary_ = describe_udp();
    note(inspect_udp_network(plan_, *deployment_));
    note(audit_udp(plan_.udp, [&](const UdpVisitorRecord& visitor) {
      return visitor.nothing_lost || (plan_.calm && visitor.script.gentle());
    }));
  }

  /// All stop in order, while the late visits begin.
  void stop_all() {
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) deployment_->join(i);  // where the run has not come so far
    for (std::size_t i = 0; i < plan_.tcp_visits.size(); ++i) {
      if (plan_.tcp_visits[i].late)
        world_.after(plan_.tcp_visits[i].at, [this, i] { deployment_->begin_tcp_visit(i); });
    }
    for (std::size_t i = 0; i < plan_.udp_visits.size(); ++i) {
      if (plan_.udp_visits[i].late)
        world_.after(plan_.udp_visits[i].at, [this, i] { deployment_->begin_udp_visit(i); });
    }
    world_.run_for(plan_.stop_after);
    deployment_->stop();
    expect(wait([&] { return deployment_->stopped(); }, kStopTimeMax), "an orderly stop did not come to its end");
    note(inspect_accounts(*deployment_));
    note(inspect_udp_accounts(*deployment_));
  }

  void end_all() {
    deployment_->end();
    world_.run_for(kStopTimeMax);
    // What a process wrote before it stopped is with the kernel. Its receivers read it when their scripts let them.
    const auto connections = [this] { return world_.network().tcp_connection_count(); };
    wait([&] { return deployment_->all_talks_over() && connections() == 0; },
         reading_time_max(plan_.tcp.send_buffer_bytes + plan_.tcp.receive_buffer_bytes));
    const auto excused = [&](const TunnelRecord& tunnel) {
      return plan_.tcp_visits[tunnel.id].late || faults_->excuse(tunnel);
    };
    if (violations_.empty()) {
      note(audit(plan_.ledger, excused, deployment_->cut_count()));
      note(audit_udp(plan_.udp, [](const UdpVisitorRecord&) { return false; }));
    }
    expect(connections() == 0, fmt::format("{} TCP connections are left", connections()));
  }

  [[nodiscard]] std::string describe_udp() {
    return fmt::format("; {} callers{}, {} of {} payloads came up, {} of {} down{}", plan_.udp_visits.size(),
                       plan_.calm ? " in calm" : "", plan_.udp.arrived_count(Direction::up),
                       plan_.udp.sent_count(Direction::up), plan_.udp.arrived_count(Direction::down),
                       plan_.udp.sent_count(Direction::down), describe_udp_drops(*deployment_));
  }

  [[nodiscard]] std::string describe() const {
    std::size_t complete = 0;
    std::uint64_t bytes = 0;
    for (const TunnelRecord& tunnel : plan_.ledger.tunnels) {
      complete += tunnel.visitor.complete() ? 1 : 0;
      bytes += tunnel.visitor.sent_bytes + tunnel.visitor.received_bytes;
    }
    std::string text = fmt::format("{} servers, {} clients, {} of {} visitors complete, {} bytes, {:.1f} s",
                                   plan_.servers.size(), plan_.clients.size(), complete, plan_.tcp_visits.size(), bytes,
                                   std::chrono::duration<double>(world_.elapsed()).count());
    text += udp_summary_;
    for (const FaultPlan& fault : plan_.faults) text += "; " + fault.text();
    if (!plan_.scenario.empty()) text += "; with " + plan_.scenario;
    if (strangers_) text += fmt::format(", {} attempts", strangers_->attempts_count());
    return text;
  }

  Plan plan_;
  World world_;
  SystemPins pins_;
  std::optional<Deployment> deployment_;
  std::optional<Faults> faults_;
  std::optional<Strangers> strangers_;
  Time begun_{};  ///< from when the plan's times count
  std::vector<std::string> violations_;
  std::string udp_summary_;  ///< before the stop
  bool visits_over_ = false;
};

}  // namespace

Verdict run_seed(std::uint64_t seed, const RunSettings& settings, Tracing tracing) {
  return Run(seed, settings, tracing).judge();
}

}  // namespace qmux::sim

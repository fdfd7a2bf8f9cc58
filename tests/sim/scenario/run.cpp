// SPDX-License-Identifier: MIT
#include "sim/scenario/run.h"

#include <algorithm>
#include <optional>

#include "sim/actors/audit.h"
#include "sim/actors/script.h"
#include "sim/actors/udp_audit.h"
#include "sim/pins/system_pins.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/inspection.h"
#include "sim/scenario/inspection_udp.h"
#include "sim/scenario/plan_udp.h"
#include "sim/scenario/strangers.h"
#include "sim/scenario/town.h"
#include "sim/world/network.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

/// Handshakes over the worst of links, several times over.
constexpr Duration kRegisterMax = 60s;
/// From the last fault on: health timeouts, then backoff.
constexpr Duration kRecoverMax = 150s;
/// From when everybody is back, for some packet of each visitor's by UDP to get through the worst of links.
constexpr Duration kHeardMax = 60s;
constexpr Duration kVisitsMax = 20min;
constexpr Duration kBacklogInspectionInterval = 200ms;
/// Acknowledgements and the last of the goodbyes.
constexpr Duration kQuietMax = 60s;
/// A session is over its time when its last packet arrives.
constexpr Duration kSessionEndMax = 1s;
constexpr Duration kIdleTime = 90s;
constexpr Duration kStopMax = 10s;

class Run {
 public:
  Run(std::uint64_t seed, const RunSettings& settings, Trace::Sink sink)
      : plan_(draw_plan(seed, settings.scenario)), world_(seed), pins_(world_) {
    if (sink) world_.trace().set_sink(std::move(sink));
    town_.emplace(world_, plan_, settings.credentials);
    faults_.emplace(world_, plan_, *town_);
    if (plan_.strangers.hosts > 0) {
      const Address server = town_->servers()[plan_.strangers.server]->quic_address(plan_.strangers.listener);
      strangers_.emplace(world_, plan_.strangers, server, settings.credentials);
    }
  }

  Verdict judge() {
    town_->start();
    if (expect(wait([&] { return town_->all_registered(); }, kRegisterMax), "clients did not register")) {
      let_live();
      let_rest();
      let_idle();
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

  void let_live() {
    for (std::size_t i = 0; i < plan_.visits.size(); ++i) {
      if (!plan_.visits[i].late) world_.after(plan_.visits[i].at, [this, i] { town_->visit(i); });
    }
    for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
      if (!plan_.calls[i].late) world_.after(plan_.calls[i].at, [this, i] { town_->call(i); });
    }
    begun_ = world_.now();
    faults_->schedule();
    schedule_scenario();
    inspect_again_and_again();
    wait([&] { return faults_->over() && all_joined(); }, 5min);
    expect(wait([&] { return town_->all_registered(); }, kRecoverMax), "clients did not come back after the faults");
    faults_->everybody_back();
    town_->roll_call();
    expect(wait([&] { return town_->all_heard(); }, kHeardMax), "visitors by UDP are not heard");
    wait([&] { return town_->all_visits_over(); }, kVisitsMax);
    visits_over_ = true;
    note(audit(plan_.ledger, [&](const TunnelRecord& tunnel) { return faults_->excuse(tunnel); }));
    note(inspect_figures(plan_));
    for (const Promise& promise : plan_.promises) note(promise(plan_, *town_, begun_));
  }

  void schedule_scenario() {
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
      const ClientPlan& client = plan_.clients[i];
      if (client.joins_at == Duration{}) continue;
      world_.after(client.joins_at, [this, i] { town_->join(i); });
      world_.after(client.joins_at + client.registers_within, [this, i] {
        expect(town_->households()[i].client->registered(), fmt::format("client {} did not register in time", i));
      });
    }
    if (strangers_) strangers_->schedule();
    if (plan_.visitors_vanish_at > Duration{})
      world_.after(plan_.visitors_vanish_at, [this] { town_->visitors_vanish(); });
  }

  [[nodiscard]] bool all_joined() { return std::ranges::none_of(town_->households(), &Household::away); }

  void inspect_again_and_again() {
    note(inspect_backlogs(plan_));
    note(inspect_udp_limits(*town_));
    note(inspect_handshakes(*town_));
    if (!visits_over_ && violations_.empty()) {
      world_.after(kBacklogInspectionInterval, [this] { inspect_again_and_again(); });
    }
  }

  void let_rest() {
    // Those who send unasked fall silent, and sessions end.
    world_.run_for(UdpService::kUnaskedTimeMax + session_time_max(plan_) + kSessionEndMax);
    wait([&] { return inspect_rest(*town_).empty() && inspect_udp_rest(*town_).empty(); }, kQuietMax);
    note(inspect_rest(*town_));
    note(inspect_udp_rest(*town_));
  }

  /// Quiet connections last, whatever NAT boxes forget meanwhile.
  void let_idle() {
    world_.run_for(kIdleTime);
    expect(wait([&] { return town_->all_registered(); }, kQuietMax), "clients were lost while nothing happened");
    if (town_->intruder() != nullptr) expect(!town_->intruder()->registered(), "an intruder was let in");
    note(inspect_losses(*town_, faults_->any_loss_excused()));
    udp_summary_ = describe_udp();
    note(inspect_udp_network(plan_, *town_));
    note(audit_udp(plan_.udp, [&](const UdpVisitorRecord& visitor) {
      return visitor.nothing_lost || (plan_.calm && visitor.script.gentle());
    }));
  }

  /// Everybody stops in order, while the last visitors are at the door.
  void stop_all() {
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) town_->join(i);  // where the run has not come so far
    for (std::size_t i = 0; i < plan_.visits.size(); ++i) {
      if (plan_.visits[i].late) world_.after(plan_.visits[i].at, [this, i] { town_->visit(i); });
    }
    for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
      if (plan_.calls[i].late) world_.after(plan_.calls[i].at, [this, i] { town_->call(i); });
    }
    world_.run_for(plan_.stop_after);
    town_->stop();
    expect(wait([&] { return town_->stopped(); }, kStopMax), "an orderly stop did not come to its end");
    note(inspect_accounts(*town_));
    note(inspect_udp_accounts(*town_));
  }

  void end_all() {
    town_->end();
    world_.run_for(kStopMax);
    // What a process wrote before it stopped is with the kernel: those that it is for read it when their scripts let them.
    const auto connections = [this] { return world_.network().tcp_connection_count(); };
    wait([&] { return town_->all_talks_over() && connections() == 0; },
         reading_time_max(plan_.tcp.send_buffer_bytes + plan_.tcp.receive_buffer_bytes));
    const auto excused = [&](const TunnelRecord& tunnel) {
      return plan_.visits[tunnel.id].late || faults_->excuse(tunnel);
    };
    if (violations_.empty()) {
      note(audit(plan_.ledger, excused));
      note(audit_udp(plan_.udp, [](const UdpVisitorRecord&) { return false; }));
    }
    expect(connections() == 0, fmt::format("{} TCP connections are left", connections()));
  }

  [[nodiscard]] std::string describe_udp() {
    return fmt::format("; {} callers{}, {} of {} payloads came up, {} of {} down{}", plan_.calls.size(),
                       plan_.calm ? " in calm" : "", plan_.udp.arrived_count(Direction::up),
                       plan_.udp.sent_count(Direction::up), plan_.udp.arrived_count(Direction::down),
                       plan_.udp.sent_count(Direction::down), describe_udp_drops(*town_));
  }

  [[nodiscard]] std::string describe() const {
    std::size_t complete = 0;
    std::uint64_t bytes = 0;
    for (const TunnelRecord& tunnel : plan_.ledger.tunnels) {
      complete += tunnel.visitor.complete() ? 1 : 0;
      bytes += tunnel.visitor.sent_bytes + tunnel.visitor.received_bytes;
    }
    std::string text = fmt::format("{} servers, {} clients, {} of {} visitors complete, {} bytes, {:.1f} s",
                                   plan_.servers.size(), plan_.clients.size(), complete, plan_.visits.size(), bytes,
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
  std::optional<Town> town_;
  std::optional<Faults> faults_;
  std::optional<Strangers> strangers_;
  Time begun_{};  ///< from when the plan's times count
  std::vector<std::string> violations_;
  std::string udp_summary_;  ///< before anybody stopped
  bool visits_over_ = false;
};

}  // namespace

Verdict run_seed(std::uint64_t seed, const RunSettings& settings, Trace::Sink sink) {
  return Run(seed, settings, std::move(sink)).judge();
}

}  // namespace qmux::sim

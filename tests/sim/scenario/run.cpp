// SPDX-License-Identifier: MIT
#include "sim/scenario/run.h"

#include <algorithm>

#include "sim/actors/audit.h"
#include "sim/pins/system_pins.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/town.h"
#include "sim/world/network.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

/// Handshakes over the worst of links, several times over.
constexpr Duration kRegisterMax = 60s;
/// From the last fault on: health timeouts, then backoff.
constexpr Duration kRecoverMax = 150s;
constexpr Duration kVisitsMax = 20min;
/// Acknowledgements and the last of the goodbyes.
constexpr Duration kQuietMax = 60s;
constexpr Duration kIdleTime = 90s;
constexpr Duration kStopMax = 10s;

class Run {
 public:
  Run(std::uint64_t seed, const RunCredentials& credentials, Trace::Sink sink)
      : plan_(draw_plan(seed)), world_(seed), pins_(world_) {
    if (sink) world_.trace().set_sink(std::move(sink));
    town_.emplace(world_, plan_, credentials);
    faults_.emplace(world_, plan_, *town_);
  }

  Verdict judge() {
    town_->start();
    if (expect(wait([&] { return town_->all_registered(); }, kRegisterMax), "clients did not register")) {
      let_live();
      let_rest();
      let_idle();
      check_mailboxes();
    }
    stop_all();
    check_accounts();
    const std::string summary = describe();
    end_all();
    return {.violations = std::move(violations_),
            .trace_hash = world_.trace().hash(),
            .event_count = world_.trace().event_count(),
            .summary = summary};
  }

 private:
  bool expect(bool holds, std::string what) {
    if (!holds) violations_.push_back(std::move(what));
    return holds;
  }
  bool wait(const std::function<bool()>& done, Duration at_most) { return world_.run_until(done, at_most); }

  void let_live() {
    for (std::size_t i = 0; i < plan_.visits.size(); ++i) {
      world_.after(plan_.visits[i].at, [this, i] { town_->visit(i); });
    }
    faults_->schedule();
    wait([&] { return faults_->over(); }, 5min);
    expect(wait([&] { return town_->all_registered(); }, kRecoverMax), "clients did not come back after the faults");
    faults_->everybody_back();
    wait([&] { return town_->all_visits_over(); }, kVisitsMax);
    for (std::string& violation : audit(plan_.ledger, [&](const TunnelRecord& t) { return faults_->excuse(t); })) {
      violations_.push_back(std::move(violation));
    }
  }

  /// Nobody is there any more: an idle program holds no buffer and no seat.
  void let_rest() {
    const auto quiet = [&] {
      return std::ranges::all_of(town_->servers(), [](const auto& server) { return is_quiet(*server); }) &&
             std::ranges::all_of(town_->households(),
                                 [](const Household& h) { return h.client->state().chunks.in_use_bytes() == 0; });
    };
    if (wait(quiet, kQuietMax)) return;
    for (const auto& server : town_->servers()) {
      for (std::size_t i = 0; i < server->server().worker_count(); ++i) {
        const std::size_t held = server->server().worker(i).chunks.in_use_bytes();
        expect(held == 0, fmt::format("{} worker {} holds {} bytes at rest", server->host().name(), i, held));
      }
      for (std::size_t i = 0; i < server->listener_count(); ++i) {
        const std::size_t seats = server->server().pool(i).seats();
        expect(seats == 0, fmt::format("{} has {} seats taken at rest", server->host().name(), seats));
      }
    }
    for (const Household& household : town_->households()) {
      const std::size_t held = household.client->state().chunks.in_use_bytes();
      expect(held == 0, fmt::format("{} holds {} bytes at rest", household.client->host().name(), held));
    }
  }

  static bool is_quiet(const ServerProcess& server) {
    for (std::size_t i = 0; i < server.server().worker_count(); ++i) {
      if (server.server().worker(i).chunks.in_use_bytes() != 0) return false;
    }
    for (std::size_t i = 0; i < server.listener_count(); ++i) {
      if (server.server().pool(i).seats() != 0) return false;
    }
    return true;
  }

  /// Quiet connections last, whatever NAT boxes forget meanwhile.
  void let_idle() {
    world_.run_for(kIdleTime);
    expect(wait([&] { return town_->all_registered(); }, kQuietMax), "clients were lost while nothing happened");
    if (town_->intruder() != nullptr) expect(!town_->intruder()->registered(), "an intruder was let in");
  }

  /// Before anybody stops: a worker that stops takes no messages any more.
  void check_mailboxes() {
    for (const auto& server : town_->servers()) {
      expect(server->counters().mailbox_full == 0, server->host().name() + ": a mailbox was full");
    }
  }

  void stop_all() {
    for (const Household& household : town_->households()) {
      if (household.client->running()) household.client->stop();
    }
    if (town_->intruder() != nullptr) town_->intruder()->stop();
    for (const auto& server : town_->servers()) {
      if (server->running()) server->stop();
    }
    const auto stopped = [&] {
      return std::ranges::all_of(town_->households(), [](const Household& h) { return h.client->stopped(); }) &&
             std::ranges::all_of(town_->servers(), [](const auto& server) { return server->stopped(); });
    };
    expect(wait(stopped, kStopMax), "an orderly stop did not come to its end");
  }

  /// Whatever began has ended, for a cause that was counted; and nothing was counted that nobody does here.
  void check_accounts() {
    for (const auto& server : town_->servers()) {
      const tunnel::Counters c = server->counters();
      const std::string& name = server->host().name();
      expect(c.tunnels_opened == c.tunnels_closed_in_all(), name + ": tunnels opened and closed differ");
      expect(c.visitors_accepted == c.tunnels_opened + c.visitors_refused_no_client + c.visitors_refused_waiting_full +
                                        c.visitors_refused_stopping,
             name + ": visitors are not accounted for");
      check_never(name, c);
    }
    for (const Household& household : town_->households()) {
      const tunnel::Counters& c = household.client->state().counters;
      const std::string& name = household.client->host().name();
      expect(c.tunnels_opened == c.tunnels_closed_in_all(), name + ": tunnels opened and closed differ");
      expect(c.streams_accepted == c.tunnels_opened + c.dials_failed + c.requests_malformed + c.requests_lost,
             name + ": streams are not accounted for");
      check_never(name, c);
    }
  }

  void check_never(const std::string& name, const tunnel::Counters& c) {
    expect(c.protocol_errors == 0, name + ": protocol errors between our own programs");
    expect(c.streams_refused == 0, name + ": streams that nobody may open");
    expect(c.requests_malformed == 0, name + ": malformed requests");
    const auto closed = [&](tunnel::RelayEnd::Cause cause) {
      return c.tunnels_closed[static_cast<std::size_t>(cause)];
    };
    expect(closed(tunnel::RelayEnd::Cause::protocol_error) == 0, name + ": tunnels ended for a protocol error");
    expect(closed(tunnel::RelayEnd::Cause::stuck) == 0, name + ": tunnels evicted");
    if (faults_->any_loss_excused()) return;
    expect(closed(tunnel::RelayEnd::Cause::connection_lost) == 0, name + ": a connection was lost without cause");
  }

  void end_all() {
    for (const Household& household : town_->households()) household.client->crash();
    if (town_->intruder() != nullptr) town_->intruder()->crash();
    for (const auto& server : town_->servers()) server->crash();
    world_.run_for(1s);
    const std::size_t left = world_.network().tcp_connection_count();
    expect(left == 0, fmt::format("{} TCP connections are left", left));
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
    for (const FaultPlan& fault : plan_.faults) text += "; " + fault.text();
    return text;
  }

  Plan plan_;
  World world_;
  SystemPins pins_;
  std::optional<Town> town_;
  std::optional<Faults> faults_;
  std::vector<std::string> violations_;
};

}  // namespace

Verdict run_seed(std::uint64_t seed, const RunCredentials& credentials, Trace::Sink sink) {
  return Run(seed, credentials, std::move(sink)).judge();
}

}  // namespace qmux::sim

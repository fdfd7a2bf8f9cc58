// SPDX-License-Identifier: MIT
#include "sim/scenario/plan_udp.h"

#include <algorithm>

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;
using tunnel::VisitorProtocol;

tunnel::UdpOptions draw_options(SeededRandom& random, bool calm) {
  tunnel::UdpOptions options;
  options.session_idle_timeout = random.between(Duration(5s), Duration(25s));
  if (calm) return options;
  options.fragmentation = !random.chance(0.1);
  if (random.chance(0.1)) options.payload_bytes_max = random.between(500, 9'000);
  if (random.chance(0.15)) options.datagram_bytes_max = random.between(100, 1'300);
  return options;
}

/// One of the listeners that take UDP; false: there is none.
bool draw_listener(SeededRandom& random, const Plan& plan, VisitPlan& visit) {
  std::vector<VisitPlan> choice;
  for (std::size_t server = 0; server < plan.servers.size(); ++server) {
    for (std::size_t listener = 0; listener < plan.servers[server].listeners.size(); ++listener) {
      if (plan.servers[server].listeners[listener].protocol != VisitorProtocol::tcp)
        choice.push_back({.server = server, .listener = listener});
    }
  }
  if (choice.empty()) return false;
  const VisitPlan& chosen = choice[random.below(choice.size())];
  visit.server = chosen.server;
  visit.listener = chosen.listener;
  return true;
}

void add_udp_visit(Plan& plan, const VisitPlan& visit, const UdpScript& script) {
  plan.udp_visits.push_back(visit);
  UdpVisitorRecord& visitor = plan.udp.visitors.emplace_back();
  visitor.id = static_cast<std::uint16_t>(plan.udp.visitors.size() - 1);
  visitor.script = script;
}

}  // namespace

void draw_protocols(SeededRandom& random, ServerPlan& server) {
  for (ListenerPlan& listener : server.listeners) {
    if (random.chance(0.7)) listener.protocol = VisitorProtocol::both;
    if (&listener != &server.listeners.front() && random.chance(0.4)) listener.protocol = VisitorProtocol::udp;
    listener.all_addresses = random.chance(0.25);
  }
}

void draw_udp(SeededRandom& random, Plan& plan, Duration visits_time) {
  for (ServerPlan& server : plan.servers) {
    for (ListenerPlan& listener : server.listeners) listener.udp_options = draw_options(random, plan.calm);
  }
  for (ClientPlan& client : plan.clients) {
    client.udp_options = draw_options(random, plan.calm);
    client.service_ipv6 = random.chance(0.3);
    client.service_by_name = !plan.calm && random.chance(0.3);  // what goes to the wrong address is lost
    if (random.chance(0.7)) {
      client.udp_options.session_idle_timeout =
          plan.servers[client.server].listeners[client.listener].udp_options.session_idle_timeout;
    }
  }
  VisitPlan visit;
  for (std::size_t count = random.between(0, 36); count > 0; --count) {
    if (!draw_listener(random, plan, visit)) return;
    visit.at = random.between(Duration{}, visits_time);
    add_udp_visit(plan, visit, draw_udp_script(random));
  }
  visit.late = true;
  for (std::size_t count = random.between(0, 3); count > 0; --count) {
    if (!draw_listener(random, plan, visit)) return;
    visit.at = random.between(Duration{}, plan.stop_after);
    add_udp_visit(plan, visit, draw_udp_script(random));
  }
}

Duration session_time_min(const Plan& plan, const VisitPlan& visit) {
  Duration time = plan.servers[visit.server].listeners[visit.listener].udp_options.session_idle_timeout;
  for (const ClientPlan& client : plan.clients) {
    if (client.server == visit.server && client.listener == visit.listener) {
      time = std::min(time, client.udp_options.session_idle_timeout);
    }
  }
  return time;
}

Duration session_time_max(const Plan& plan) {
  Duration time{};
  for (const ServerPlan& server : plan.servers) {
    for (const ListenerPlan& listener : server.listeners) {
      time = std::max(time, listener.udp_options.session_idle_timeout);
    }
  }
  for (const ClientPlan& client : plan.clients) time = std::max(time, client.udp_options.session_idle_timeout);
  return time;
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
#include "sim/scenario/deployment.h"

#include <algorithm>
#include <utility>

#include "sim/scenario/plan_udp.h"
#include "sim/world/network.h"
#include "tunnel/limits.h"

namespace qmux::sim {
namespace {

constexpr std::uint16_t kServicePort = 80;
/// From which visitors by UDP come, many from each.
constexpr std::size_t kCallersHosts = 3;

/// The network's properties are set before any socket is opened on it.
Network& prepared(World& world, const Plan& plan) {
  Network& network = world.network();
  network.set_default_link(plan.visitors_link);
  network.tcp_properties() = plan.tcp;
  return network;
}

}  // namespace

Deployment::Deployment(World& world, Plan& plan, const RunCredentials& credentials)
    : world_(world),
      plan_(plan),
      visitors_loop_(prepared(world, plan).add_host("visitors"), "visitors"),
      crowd_(world, visitors_loop_, plan.ledger) {
  for (std::size_t i = 0; i < plan.servers.size(); ++i) {
    Host& host = world.network().add_host(fmt::format("server{}", i));
    world.network().add_addresses(host);
    host.set_interface_mtu(plan.interface_mtu_bytes);
    host.set_send_block_chance(plan.send_block_chance);
    servers_.push_back(std::make_unique<ServerProcess>(host, plan.servers[i], plan.health, credentials.server));
  }
  for (std::size_t i = 0; i < plan.clients.size(); ++i) {
    client_sites_.push_back(make_client_site(plan.clients[i], i, credentials.client));
  }
  if (plan.intruder) add_intruder(credentials.intruder);
  if (plan.visitors_vanish_at > Duration{}) {
    vanishing_loop_ = std::make_unique<SimLoop>(world.network().add_host("vanishing"), "vanishing");
    vanishing_crowd_ = std::make_unique<Crowd>(world, *vanishing_loop_, plan.ledger);
  }
  for (std::size_t i = 0; i < kCallersHosts; ++i) {
    const std::string name = fmt::format("callers{}", i);
    callers_loops_.push_back(std::make_unique<SimLoop>(world.network().add_host(name), name));
  }
}

ClientSite Deployment::make_client_site(const ClientPlan& plan, std::size_t index,
                                        const std::shared_ptr<const quic::Credentials>& credentials) {
  Network& network = world_.network();
  ClientSite site;
  ServerProcess& server = *servers_[plan.server];
  const ListenerPlan& listener = plan_.servers[plan.server].listeners[plan.listener];

  Host& host = network.add_host(fmt::format("client{}", index));
  host.set_interface_mtu(plan_.interface_mtu_bytes);
  host.set_send_block_chance(plan_.send_block_chance);
  Host& service_host = plan.service_elsewhere ? network.add_host(fmt::format("service{}", index)) : host;
  if (plan.service_backlog > 0) service_host.set_backlog(plan.service_backlog);
  if (plan.behind_nat) {
    site.nat = &network.add_nat(fmt::format("nat{}", index));
    site.nat->set_idle_timeout(plan.nat_idle_timeout);
    host.put_behind(*site.nat);
    service_host.put_behind(*site.nat);
  }
  site.away = plan.joins_at > Duration{};
  site.outside = &host.site();
  site.server_host = &server.host();
  network.link(*site.outside, server.host()).properties() = plan.to_server;
  network.link(server.host(), *site.outside).properties() = plan.from_server;

  const Address service_address = plan.service_ipv6 ? service_host.v6(kServicePort) : service_host.v4(kServicePort);
  site.service_loop = std::make_unique<SimLoop>(service_host, "loop of " + service_host.name());
  site.service =
      std::make_unique<LocalService>(world_, *site.service_loop, plan_.ledger, service_address, listener.speaks_first);
  site.udp_service = std::make_unique<UdpService>(world_, *site.service_loop, plan_.udp, service_address);
  const Address quic = server.quic_address(plan.listener);
  const HostPort server_address{plan.server_by_name ? server.host().name() : quic.host_text(), quic.port()};
  const HostPort service_named{plan.service_by_name ? service_host.name() : service_address.host_text(), kServicePort};
  site.client = std::make_unique<ClientProcess>(host, plan, plan_.health, server_address, service_named, credentials);
  return site;
}

void Deployment::add_intruder(const std::shared_ptr<const quic::Credentials>& credentials) {
  Host& host = world_.network().add_host("intruder");
  const Address quic = servers_[0]->quic_address(0);
  intruder_ =
      std::make_unique<ClientProcess>(host, plan_.clients[0], plan_.health, HostPort{quic.host_text(), quic.port()},
                                      HostPort{host.v4(0).host_text(), kServicePort}, credentials);
}

void Deployment::start() {
  for (const auto& server : servers_) server->start();
  for (const ClientSite& site : client_sites_) {
    if (!site.away) site.client->start();
  }
  if (intruder_) intruder_->start();
}

void Deployment::join(std::size_t client) {
  ClientSite& site = client_sites_[client];
  if (!std::exchange(site.away, false)) return;
  site.client->start();
}

void Deployment::visitors_vanish() {
  vanishing_loop_->host().set_dark(true);
  vanishing_crowd_->vanish();
  // The FIN of a visitor that was done may still have been on its way: it is lost with the host.
  for (TunnelRecord& tunnel : plan_.ledger.tunnels) {
    if (!plan_.tcp_visits[tunnel.id].vanishes || !tunnel.visitor.sent_fin) continue;
    if (!tunnel.service.received_fin) tunnel.visitor.sent_reset = true;
  }
}

void Deployment::begin_tcp_visit(std::size_t index) {
  const VisitPlan& visit = plan_.tcp_visits[index];
  Crowd& crowd = visit.vanishes ? *vanishing_crowd_ : crowd_;
  crowd.send_in(plan_.ledger.tunnels[index], servers_[visit.server]->traffic_address(visit.listener),
                plan_.servers[visit.server].listeners[visit.listener].speaks_first);
}

void Deployment::begin_udp_visit(std::size_t index) {
  const VisitPlan& visit = plan_.udp_visits[index];
  callers_.emplace_back(world_, *callers_loops_[index % callers_loops_.size()], plan_.udp, plan_.udp.visitors[index],
                        servers_[visit.server]->traffic_address(visit.listener), session_time_min(plan_, visit));
}

void Deployment::send_probes() {
  for (UdpCaller& caller : callers_) caller.probe_until_answered();
}

bool Deployment::all_probes_answered() const { return std::ranges::none_of(callers_, &UdpCaller::awaits_answer); }

bool Deployment::all_registered() const {
  if (!std::ranges::all_of(client_sites_, [](const ClientSite& h) { return h.away || h.client->registered(); })) {
    return false;
  }
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    if (!servers_[server]->running()) return false;
    for (std::size_t listener = 0; listener < servers_[server]->listener_count(); ++listener) {
      std::size_t clients = 0;
      for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
        const ClientPlan& client = plan_.clients[i];
        if (client.server == server && client.listener == listener && !client_sites_[i].away) ++clients;
      }
      const tunnel::Pool* const pool = servers_[server]->pool(listener);
      if (pool == nullptr || pool->size() != clients) return false;
    }
  }
  return true;
}

bool Deployment::all_visits_over() const {
  // Asked after every event: what is cheap and seldom holds comes first.
  if (!all_talks_over() || !std::ranges::all_of(callers_, &UdpCaller::over)) return false;
  const auto late_tcp_visits = static_cast<std::size_t>(std::ranges::count_if(plan_.tcp_visits, &VisitPlan::late));
  const auto late_udp_visits = static_cast<std::size_t>(std::ranges::count_if(plan_.udp_visits, &VisitPlan::late));
  const std::size_t over = crowd_.over_count() + (vanishing_crowd_ ? vanishing_crowd_->over_count() : 0);
  return over == plan_.tcp_visits.size() - late_tcp_visits &&
         callers_.size() >= plan_.udp_visits.size() - late_udp_visits && !any_service_awaited();
}

/// A visitor that has sent something and has reset the connection may be gone before its bytes are with a local service.
bool Deployment::any_service_awaited() const {
  return std::ranges::any_of(plan_.ledger.tunnels, [this](const TunnelRecord& tunnel) {
    const TalkRecord& visitor = tunnel.visitor;
    return visitor.over && visitor.sent_reset && visitor.acknowledged_bytes > 0 && tunnel.arrivals_count == 0 &&
           world_.now() < visitor.over_at + limits::kDialTimeout;
  });
}

bool Deployment::all_talks_over() const {
  return crowd_.open_count() == 0 && (!vanishing_crowd_ || vanishing_crowd_->open_count() == 0) &&
         std::ranges::all_of(client_sites_, [](const ClientSite& h) { return h.service->open_count() == 0; });
}

void Deployment::stop() {
  for (const ClientSite& site : client_sites_) {
    if (site.client->running()) site.client->stop();
  }
  if (intruder_) intruder_->stop();
  for (const auto& server : servers_) {
    if (server->running()) server->stop();
  }
}

bool Deployment::stopped() const {
  return std::ranges::all_of(client_sites_, [](const ClientSite& h) { return h.client->stopped(); }) &&
         std::ranges::all_of(servers_, [](const auto& server) { return server->stopped(); }) &&
         (!intruder_ || intruder_->stopped());
}

void Deployment::end() {
  for (const ClientSite& site : client_sites_) site.client->crash();
  if (intruder_) intruder_->crash();
  for (const auto& server : servers_) server->crash();
}

std::uint64_t Deployment::cut_count() const {
  std::uint64_t sum = 0;
  for (const auto& server : servers_) sum += server->cut_count();
  for (const ClientSite& site : client_sites_) sum += site.client->cut_count();
  return sum;
}

}  // namespace qmux::sim

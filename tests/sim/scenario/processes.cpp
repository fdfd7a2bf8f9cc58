// SPDX-License-Identifier: MIT
#include "sim/scenario/processes.h"

#include "base/check.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

void add(tunnel::UdpCounters& sum, const tunnel::UdpCounters& c) {
  sum.sessions_opened += c.sessions_opened;
  sum.sessions_idle += c.sessions_idle;
  sum.sessions_evicted += c.sessions_evicted;
  sum.sessions_closed += c.sessions_closed;
  sum.sessions_lost += c.sessions_lost;
  sum.payloads_received += c.payloads_received;
  sum.payloads_sent += c.payloads_sent;
  sum.datagrams_sent += c.datagrams_sent;
  sum.datagrams_received += c.datagrams_received;
  sum.payloads_delivered += c.payloads_delivered;
  for (std::size_t i = 0; i < tunnel::kUdpDrops; ++i) sum.dropped[i] += c.dropped[i];
}

void add(tunnel::Counters& sum, const tunnel::Counters& c) {
  sum.visitors_accepted += c.visitors_accepted;
  sum.visitors_refused_no_client += c.visitors_refused_no_client;
  sum.visitors_refused_waiting_full += c.visitors_refused_waiting_full;
  sum.visitors_refused_stopping += c.visitors_refused_stopping;
  sum.protocol_errors += c.protocol_errors;
  sum.streams_refused += c.streams_refused;
  sum.tunnels_opened += c.tunnels_opened;
  for (std::size_t i = 0; i < tunnel::Counters::kCauses; ++i) sum.tunnels_closed[i] += c.tunnels_closed[i];
  sum.mailbox_full += c.mailbox_full;
  add(sum.udp, c.udp);
}

void add(wire::ReassemblyCounters& sum, const wire::ReassemblyCounters& c) {
  sum.parts += c.parts;
  sum.duplicates += c.duplicates;
  sum.assembled += c.assembled;
  sum.conflicting += c.conflicting;
  sum.oversize += c.oversize;
}

}  // namespace

ServerProcess::ServerProcess(Host& host, const ServerPlan& plan, const tunnel::HealthOptions& health,
                             const quic::Credentials& credentials)
    : host_(host), plan_(plan), health_(health), credentials_(credentials) {
  host_.set_steering(plan.steering);
}

Address ServerProcess::address(std::size_t listener, std::uint16_t first_port) const {
  const auto port = static_cast<std::uint16_t>(first_port + listener);
  return plan_.listeners[listener].ipv6 ? host_.v6(port) : host_.v4(port);
}

Address ServerProcess::traffic_address(std::size_t listener) const {
  const Address first = address(listener, 8080);
  return plan_.listeners[listener].all_addresses ? host_.other_address(first.family(), first.port()) : first;
}

void ServerProcess::start() {
  host_.world().record("{} starts", host_.name());
  stopped_ = false;
  std::vector<io::EventLoop*> loops;
  for (std::size_t i = 0; i < plan_.worker_count; ++i) {
    loops_.push_back(std::make_unique<SimLoop>(host_, fmt::format("{} worker {}", host_.name(), i)));
    loops.push_back(loops_.back().get());
  }
  tunnel::ServerOptions options;
  options.credentials = &credentials_;
  options.balance = plan_.balance;
  options.health = health_;
  for (std::size_t i = 0; i < plan_.listeners.size(); ++i) {
    const ListenerPlan& listener = plan_.listeners[i];
    const Address traffic = traffic_address(i);
    options.listeners.push_back(
        {.quic_address = quic_address(i),
         .traffic_address = listener.all_addresses ? Address::any(traffic.family(), traffic.port()) : traffic,
         .tcp = listener.tcp,
         .udp = listener.udp,
         .udp_options = listener.udp_options,
         .transport = listener.transport});
  }
  server_ = std::make_unique<tunnel::Server>(std::move(options), loops, [this] { stopped_ = true; });
  const Result<void> started = server_->start();
  CHECK(started.has_value());
}

void ServerProcess::crash() {
  host_.world().record("{} ends", host_.name());
  server_.reset();
  loops_.clear();
}

tunnel::Counters ServerProcess::counters() const {
  tunnel::Counters sum;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) add(sum, server_->worker(i).counters);
  return sum;
}

wire::ReassemblyCounters ServerProcess::reassembly_counters() const {
  wire::ReassemblyCounters sum;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) add(sum, server_->worker(i).udp.reassembly.counters());
  return sum;
}

ClientProcess::ClientProcess(Host& host, const ClientPlan& plan, const tunnel::HealthOptions& health,
                             const HostPort& server, const HostPort& local_service,
                             const quic::Credentials& credentials)
    : host_(host),
      plan_(plan),
      health_(health),
      server_(server),
      local_service_(local_service),
      credentials_(credentials) {}

void ClientProcess::start() {
  host_.world().record("{} starts", host_.name());
  stopped_ = false;
  loop_ = std::make_unique<SimLoop>(host_, host_.name());
  tunnel::ClientOptions options;
  options.client_id = plan_.client_id;
  options.servers = {{.address = server_, .server_name = "server.test"}};
  options.local = local_service_;
  options.credentials = &credentials_;
  options.transport = plan_.transport;
  options.udp_options = plan_.udp_options;
  options.health = health_;
  client_ = std::make_unique<tunnel::Client>(std::move(options), std::vector<io::EventLoop*>{loop_.get()},
                                             [this] { stopped_ = true; });
  client_->start();
}

void ClientProcess::crash() {
  host_.world().record("{} ends", host_.name());
  client_.reset();
  loop_.reset();
}

bool ClientProcess::registered() const { return client_ && client_->worker(0).links().front()->is_registered(); }

}  // namespace qmux::sim

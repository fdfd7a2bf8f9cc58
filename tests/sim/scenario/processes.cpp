// SPDX-License-Identifier: MIT
#include "sim/scenario/processes.h"

#include <algorithm>

#include "base/check.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

std::uint64_t cut(const tunnel::Counters& c) { return c.tunnels_cut + c.tunnels_stuck; }

}  // namespace

ServerProcess::ServerProcess(Host& host, const ServerPlan& plan, const tunnel::HealthOptions& health,
                             const std::shared_ptr<const quic::Credentials>& credentials)
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
  server_ = std::make_unique<tunnel::Server>(options(), loops, [this] { stopped_ = true; });
  const Result<void> started = server_->start();
  CHECK(started.has_value());
}

tunnel::ServerOptions ServerProcess::options() const {
  tunnel::ServerOptions options;
  options.credentials = credentials_;
  options.balance = plan_.balance;
  options.health = health_;
  options.tcp_keep_alive = plan_.tcp_keep_alive;
  options.drain_timeout = plan_.drain_timeout;
  for (std::size_t i = 0; i < plan_.listeners.size(); ++i) {
    if (removed_.contains(i)) continue;
    const ListenerPlan& listener = plan_.listeners[i];
    const Address traffic = traffic_address(i);
    options.listeners.push_back(
        {.quic_address = quic_address(i),
         .traffic_address = listener.all_addresses ? Address::any(traffic.family(), traffic.port()) : traffic,
         .protocol = listener.protocol,
         .udp_options = listener.udp_options,
         .transport = listener.transport});
  }
  if (has_extra_listener_) {
    options.listeners.push_back({.quic_address = host_.v4(443), .traffic_address = host_.v4(80)});
  }
  return options;
}

void ServerProcess::reload() {
  has_extra_listener_ = !has_extra_listener_;
  apply_options();
}

void ServerProcess::remove(std::size_t listener) {
  removed_.insert(listener);
  apply_options();
}

void ServerProcess::put_back(std::size_t listener) {
  removed_.erase(listener);
  apply_options();
}

void ServerProcess::apply_options() {
  host_.world().record("{} reloads", host_.name());
  CHECK(server_->reload(options()).has_value());
  for (const auto& loop : loops_) loop->request_pass();  // each worker waits inside of a pass meanwhile
}

const tunnel::Pool* ServerProcess::pool(std::size_t listener) const {
  return removed_.contains(listener) ? nullptr : &server_->pool(server_->listener_index(quic_address(listener)));
}

std::size_t ServerProcess::udp_route_count(std::size_t worker, std::size_t listener) const {
  if (removed_.contains(listener)) return 0;
  return server_->udp_route_count(worker, server_->listener_index(quic_address(listener)));
}

void ServerProcess::crash() {
  host_.world().record("{} ends", host_.name());
  cut_before_ = cut_count();
  server_.reset();
  loops_.clear();
}

tunnel::Counters ServerProcess::counters() const {
  tunnel::Counters sum;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) tunnel::add(sum, server_->worker(i).counters);
  return sum;
}

std::uint64_t ServerProcess::cut_count() const { return cut_before_ + (running() ? cut(counters()) : 0); }

ClientProcess::ClientProcess(Host& host, const ClientPlan& plan, const tunnel::HealthOptions& health,
                             const HostPort& server, const HostPort& local_service,
                             const std::shared_ptr<const quic::Credentials>& credentials)
    : host_(host),
      plan_(plan),
      health_(health),
      server_(server),
      local_service_(local_service),
      credentials_(credentials) {}

void ClientProcess::start() {
  host_.world().record("{} starts", host_.name());
  stopped_ = false;
  reloads_ = 0;
  loop_ = std::make_unique<SimLoop>(host_, host_.name());
  client_ = std::make_unique<tunnel::Client>(options(), std::vector<io::EventLoop*>{loop_.get()},
                                             [this] { stopped_ = true; });
  client_->start();
}

void ClientProcess::reload() {
  host_.world().record("{} reloads", host_.name());
  ++reloads_;
  client_->reload(options());
  loop_->request_pass();
}

tunnel::ClientOptions ClientProcess::options() const {
  tunnel::ClientOptions options;
  options.client_id = plan_.client_id;
  options.servers = {{.address = server_, .server_name = "server.test"}};
  if (reloads_ % 3 == 1) options.client_id += " renamed";
  if (reloads_ % 3 == 2) options.servers.push_back({.address = {"198.51.100.1", 4433}, .server_name = "server.test"});
  options.local_service.address = local_service_;
  options.credentials = credentials_;
  options.transport = plan_.transport;
  options.udp_options = plan_.udp_options;
  options.health = health_;
  options.drain_timeout = plan_.drain_timeout;
  return options;
}

void ClientProcess::crash() {
  host_.world().record("{} ends", host_.name());
  cut_before_ = cut_count();
  client_.reset();
  loop_.reset();
}

std::uint64_t ClientProcess::cut_count() const { return cut_before_ + (running() ? cut(state().counters) : 0); }

bool ClientProcess::registered() const {
  return client_ &&
         std::ranges::any_of(client_->worker(0).links(), [](const auto& link) { return link->is_registered(); });
}

}  // namespace qmux::sim

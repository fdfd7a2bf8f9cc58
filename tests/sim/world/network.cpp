// SPDX-License-Identifier: MIT
#include "sim/world/network.h"

#include <algorithm>

#include "base/check.h"
#include "sim/world/tcp_connection.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

Address without_port(Address address) noexcept {
  address.set_port(0);
  return address;
}

LinkProperties within_one_host() {
  LinkProperties properties;
  properties.delay = std::chrono::microseconds(10);
  properties.mtu_bytes = 65'535;
  return properties;
}

constexpr std::uint8_t kHostNet = 1;
constexpr std::uint8_t kNatNet = 2;
constexpr std::uint8_t kOtherNet = 3;

}  // namespace

Network::Network(World& world) : world_(world) {}
Network::~Network() = default;

std::vector<Address> Network::next_addresses(std::uint8_t net, std::uint8_t number) const {
  return {*Address::from_literal(fmt::format("10.{}.0.{}", net, number), 0),
          *Address::from_literal(fmt::format("fd00:{}::{}", net, number), 0)};
}

Host& Network::add_host(std::string name) {
  CHECK(hosts_.size() < 250);
  std::vector<Address> addresses = next_addresses(kHostNet, static_cast<std::uint8_t>(hosts_.size() + 1));
  set_name(name, addresses);
  hosts_.push_back(std::make_unique<Host>(world_, std::move(name), std::move(addresses)));
  for (const Address& address : hosts_.back()->addresses()) host_by_ip_[address] = hosts_.back().get();
  return *hosts_.back();
}

void Network::add_addresses(Host& host) {
  for (const Address& address : next_addresses(kOtherNet, ++other_addresses_)) {
    host.add_address(address);
    host_by_ip_[address] = &host;
  }
}

void Network::move(Host& host) {
  for (const Address& address : host.addresses()) host_by_ip_.erase(address);
  host.move_to(next_addresses(kOtherNet, ++other_addresses_));
  for (const Address& address : host.addresses()) host_by_ip_[address] = &host;
  world_.record("{} has moved", host.name());
}

Nat& Network::add_nat(std::string name) {
  CHECK(nats_.size() < 250);
  nats_.push_back(std::make_unique<Nat>(world_, std::move(name),
                                        next_addresses(kNatNet, static_cast<std::uint8_t>(nats_.size() + 1))));
  for (const Address& address : nats_.back()->outer_addresses()) nat_by_ip_[address] = nats_.back().get();
  return *nats_.back();
}

Link& Network::link(Site& from, Site& to) {
  std::unique_ptr<Link>& link = links_[{from.name(), to.name()}];
  if (!link) link = std::make_unique<Link>(world_, from, to, &from == &to ? within_one_host() : default_link_);
  return *link;
}

void Network::block(Site& from, Site& to, Duration begin, Duration end) {
  Link& blocked = link(from, to);
  world_.after(begin, [&blocked] { blocked.set_blocked(true); });
  world_.after(end, [&blocked] { blocked.set_blocked(false); });
}

void Network::partition(Site& a, Site& b, Duration begin, Duration end) {
  block(a, b, begin, end);
  block(b, a, begin, end);
}

void Network::set_name(std::string name, std::vector<Address> addresses) {
  names_[std::move(name)] = std::move(addresses);
}

std::vector<Address> Network::look_up(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::vector<Address>{} : found->second;
}

Host* Network::route(Host& from, const Address& destination) {
  if (from.owns(destination)) return &from;
  const auto found = host_by_ip_.find(without_port(destination));
  if (found == host_by_ip_.end()) return nullptr;
  Host* host = found->second;
  // Inside addresses mean nothing outside of their NAT.
  return host->nat() == nullptr || host->nat() == from.nat() ? host : nullptr;
}

void Network::send(Host& from, Packet&& packet) {
  if (from.dark()) {
    world_.record("udp {} drop, dark", from.name());
    return;
  }
  if (Host* host = route(from, packet.destination)) {
    const bool same_net = host == &from || host->nat() != nullptr;
    if (!same_net && from.nat() != nullptr) from.nat()->translate(from, packet);
    return same_net ? link(from, *host).send(std::move(packet)) : link(from.site(), *host).send(std::move(packet));
  }
  if (const auto nat = nat_by_ip_.find(without_port(packet.destination)); nat != nat_by_ip_.end()) {
    if (from.nat() != nullptr) from.nat()->translate(from, packet);
    return link(from.site(), *nat->second).send(std::move(packet));
  }
  world_.record("udp {} drop, no route to {}", from.name(), packet.destination);
}

TcpConnection& Network::connect_tcp(Host& from, const Address& remote) {
  const std::uint64_t id = next_connection_++;
  auto connection = std::make_unique<TcpConnection>(world_, id, tcp_, from, remote);
  return *connections_.emplace(id, std::move(connection)).first->second;
}

void Network::discard(TcpConnection& connection) {
  discarded_.push_back(connection.id());
  if (discarded_.size() == 1) world_.after({}, [this] { sweep(); });
}

void Network::sweep() {
  for (const std::uint64_t id : discarded_) connections_.erase(id);
  discarded_.clear();
}

}  // namespace qmux::sim

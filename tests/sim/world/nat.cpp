// SPDX-License-Identifier: MIT
#include "sim/world/nat.h"

#include "sim/world/host.h"
#include "sim/world/world.h"

namespace qmux::sim {

Nat::Nat(World& world, std::string name, std::vector<Address> outer)
    : Site(std::move(name)), world_(world), outer_(std::move(outer)), random_(world.random("nat " + this->name())) {}

bool Nat::is_stale(const Mapping& mapping) const noexcept {
  return idle_timeout_ != Duration{} && world_.now() - mapping.last_use > idle_timeout_;
}

std::uint16_t Nat::map_port(Host& inside, const Address& source) {
  if (const auto known = by_inside_.find(source); known != by_inside_.end()) {
    Mapping& mapping = by_port_.at(known->second);
    if (!is_stale(mapping)) {
      mapping.last_use = world_.now();
      return known->second;
    }
    by_port_.erase(known->second);
  }
  std::uint16_t port = 0;
  do {
    port = static_cast<std::uint16_t>(random_.between(1024, 65535));
  } while (by_port_.contains(port));
  by_port_.emplace(port, Mapping{&inside, source, world_.now()});
  by_inside_[source] = port;
  world_.record("nat {} maps {} to port {}", name(), source, port);
  return port;
}

void Nat::translate(Host& inside, Packet& packet) {
  const std::uint16_t port = map_port(inside, packet.source);
  for (const Address& address : outer_) {
    if (address.family() != packet.source.family()) continue;
    packet.source = address;
    packet.source.set_port(port);
    return;
  }
}

void Nat::arrive(Packet&& packet) {
  const auto found = by_port_.find(packet.destination.port());
  if (found == by_port_.end() || is_stale(found->second)) {
    ++dropped_count_;
    world_.record("nat {} drop, no mapping for port {}", name(), packet.destination.port());
    return;
  }
  found->second.last_use = world_.now();
  packet.destination = found->second.inside;
  found->second.host->arrive(std::move(packet));
}

void Nat::rebind() {
  by_port_.clear();
  by_inside_.clear();
  world_.record("nat {} rebinds", name());
}

}  // namespace qmux::sim

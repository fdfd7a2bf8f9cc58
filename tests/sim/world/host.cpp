// SPDX-License-Identifier: MIT
#include "sim/world/host.h"

#include <algorithm>

#include "sim/world/datagram_socket.h"
#include "sim/world/loop.h"
#include "sim/world/nat.h"
#include "sim/world/network.h"
#include "sim/world/tcp_listener.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

bool is_loopback(const Address& address) noexcept {
  return address.same_host(*Address::from_literal("127.0.0.1", 0)) ||
         address.same_host(*Address::from_literal("::1", 0));
}

/// Two bound addresses that cannot both be had: one of them is the wildcard, or they are equal.
bool collide(const Address& a, const Address& b) noexcept {
  return a.family() == b.family() && a.port() == b.port() && (a.is_wildcard() || b.is_wildcard() || a.same_host(b));
}

bool covers(const Address& bound, const Address& destination) noexcept {
  return bound.family() == destination.family() && bound.port() == destination.port() &&
         (bound.is_wildcard() || bound.same_host(destination));
}

/// The first byte of a QUIC packet's connection ID, which is where it stands when the ID is as long as ours are.
std::size_t steering_byte(ConstBytes datagram) noexcept {
  if (datagram.empty()) return 0;
  const bool long_header = (std::to_integer<unsigned>(datagram[0]) & 0x80U) != 0;
  const std::size_t at = long_header ? 6 : 1;
  return at < datagram.size() ? std::to_integer<std::size_t>(datagram[at]) : 0;
}

}  // namespace

Host::Host(World& world, std::string name, std::vector<Address> addresses)
    : Site(std::move(name)),
      world_(world),
      addresses_(std::move(addresses)),
      random_(world.random("host " + this->name())) {}

Address Host::address(int family, std::uint16_t port) const {
  for (Address address : addresses_) {
    if (address.family() != family) continue;
    address.set_port(port);
    return address;
  }
  return {};
}

Address Host::other_address(int family, std::uint16_t port) const {
  const auto last = std::ranges::find(addresses_.rbegin(), addresses_.rend(), family, &Address::family);
  if (last == addresses_.rend()) return {};
  Address address = *last;
  address.set_port(port);
  return address;
}

Address Host::v4(std::uint16_t port) const { return address(AF_INET, port); }
Address Host::v6(std::uint16_t port) const { return address(AF_INET6, port); }

void Host::move_to(std::vector<Address> addresses) {
  addresses_ = std::move(addresses);
  for (SimLoop* const loop : world_.loops()) {
    if (&loop->host() == this) loop->note_network_change();
  }
}

bool Host::owns(const Address& address) const noexcept {
  return is_loopback(address) ||
         std::ranges::any_of(addresses_, [&](const Address& own) { return own.same_host(address); });
}

Site& Host::site() noexcept {
  if (nat_ != nullptr) return *nat_;
  return *this;
}

void Host::set_dark(bool dark) {
  if (dark == dark_) return;
  dark_ = dark;
  world_.record("host {} {}", name(), dark ? "dark" : "back");
}

std::vector<SimDatagramSocket*> Host::sockets_for(const Packet& packet) const {
  std::vector<SimDatagramSocket*> connected;
  std::vector<SimDatagramSocket*> exact;
  std::vector<SimDatagramSocket*> wildcard;
  for (SimDatagramSocket* socket : udp_) {
    if (!covers(socket->local_address(), packet.destination)) continue;
    if (socket->remote_address().specified()) {
      if (socket->remote_address() == packet.source) connected.push_back(socket);
    } else {
      (socket->local_address().is_wildcard() ? wildcard : exact).push_back(socket);
    }
  }
  if (!connected.empty()) return connected;
  return exact.empty() ? wildcard : exact;
}

void Host::refuse(const Packet& packet) {
  Packet refusal;
  refusal.source = packet.destination;
  refusal.destination = packet.source;
  refusal.refusal = true;
  world_.network().send(*this, std::move(refusal));
}

void Host::deliver_refusal(const Packet& refusal) {
  for (SimDatagramSocket* socket : udp_) {
    const bool meant =
        socket->remote_address() == refusal.source && covers(socket->local_address(), refusal.destination);
    if (meant) socket->refuse();
  }
}

void Host::arrive(Packet&& packet) {
  if (packet.refusal) {
    if (!dark_) deliver_refusal(packet);
    return;
  }
  const std::vector<SimDatagramSocket*> sockets = sockets_for(packet);
  if (dark_ || sockets.empty()) {
    world_.record("udp {} drop, {} {}", name(), dark_ ? "dark" : "no socket at", packet.destination);
    if (!dark_) refuse(packet);
    return;
  }
  sockets[pick(sockets, packet)]->arrive(std::move(packet));
}

std::size_t Host::pick(const std::vector<SimDatagramSocket*>& sockets, const Packet& packet) const {
  const std::size_t among = sockets.front()->steered_among();
  if (steering_ && among > 0) {
    const std::size_t index = steering_byte(packet.bytes) % among;
    if (index < sockets.size()) return index;
  }
  return mix64(packet.source.hash() ^ packet.destination.hash()) % sockets.size();
}

Result<Address> Host::check_local(const Address& local) const {
  if (!local.is_wildcard() && !owns(local)) return fail("cannot assign requested address", local.text());
  return local;
}

std::uint16_t Host::ephemeral_port() {
  constexpr std::uint16_t kFirst = 32'768;
  constexpr std::uint16_t kLast = 60'999;
  if (used_ports_.count() > (kLast - kFirst) / 2) used_ports_.reset();
  for (;;) {
    const auto port = static_cast<std::uint16_t>(random_.between(kFirst, kLast));
    if (used_ports_.test(port)) continue;
    used_ports_.set(port);
    const auto uses = [port](const auto* socket) { return socket->local_address().port() == port; };
    if (std::ranges::none_of(udp_, uses) && std::ranges::none_of(tcp_, uses)) return port;
  }
}

Result<Address> Host::claim_udp(const Address& local, bool shared_port) {
  Result<Address> bound = check_local(local);
  if (!bound) return bound;
  if (bound->port() == 0) bound->set_port(ephemeral_port());
  for (const SimDatagramSocket* other : udp_) {
    const bool both_share = shared_port && other->shares_port();
    if (!both_share && !other->remote_address().specified() && collide(other->local_address(), *bound)) {
      return fail("address already in use", bound->text());
    }
  }
  return bound;
}

Result<Address> Host::claim_tcp(const Address& local, bool shared_port) {
  Result<Address> bound = check_local(local);
  if (!bound) return bound;
  if (bound->port() == 0) bound->set_port(ephemeral_port());
  for (const SimTcpListener* other : tcp_) {
    const bool both_share = shared_port && other->shares_port();
    if (!both_share && collide(other->local_address(), *bound)) return fail("address already in use", bound->text());
  }
  return bound;
}

SimTcpListener* Host::listener_for(const Address& destination) {
  std::vector<SimTcpListener*> found;
  for (SimTcpListener* listener : tcp_) {
    if (covers(listener->local_address(), destination)) found.push_back(listener);
  }
  return found.empty() ? nullptr : found[random_.below(found.size())];
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Hosts, NAT boxes, the links between them, and the TCP connections across them. Routes a packet from a host to the
// host that has its destination address.
//
// One thread. Owned by the World.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "sim/world/host.h"
#include "sim/world/link.h"
#include "sim/world/nat.h"
#include "sim/world/tcp_properties.h"

namespace qmux::sim {

class TcpConnection;
class World;

class Network {
 public:
  explicit Network(World& world);
  ~Network();

  /// A host with an IPv4 and an IPv6 address of its own, and its name in the name service.
  Host& add_host(std::string name);
  /// Gives the host another address of each family, which its name does not stand for. It sends from its first ones unless a
  /// socket is bound to another.
  void add_addresses(Host& host);
  /// The host gets other addresses in place of those it has: what is sent to the old ones is lost.
  void move(Host& host);
  Nat& add_nat(std::string name);

  /// What links are made with on their first use.
  void set_default_link(const LinkProperties& properties) { default_link_ = properties; }
  [[nodiscard]] Link& link(Site& from, Site& to);
  /// Blocks both directions between two sites from `begin` to `end`, both counted from now.
  void partition(Site& a, Site& b, Duration begin, Duration end);
  /// Likewise, one direction.
  void block(Site& from, Site& to, Duration begin, Duration end);

  /// How TCP connections made from now on behave.
  [[nodiscard]] TcpProperties& tcp_properties() noexcept { return tcp_; }

  /// What a name stands for; no addresses: it does not exist.
  void set_name(std::string name, std::vector<Address> addresses);
  [[nodiscard]] std::vector<Address> look_up(std::string_view name) const;

  void send(Host& from, Packet&& packet);
  /// The host that a connection attempt from `from` to this address reaches; nullptr: no route.
  [[nodiscard]] Host* route(Host& from, const Address& destination);

  TcpConnection& connect_tcp(Host& from, const Address& remote);
  /// Connections that still exist at either end or have bytes under way.
  [[nodiscard]] std::size_t tcp_connection_count() const noexcept { return connections_.size(); }
  /// The connection may go once the current event is over.
  void discard(TcpConnection& connection);

 private:
  void sweep();
  [[nodiscard]] std::vector<Address> next_addresses(std::uint8_t net, std::uint8_t number) const;

  World& world_;
  LinkProperties default_link_;
  TcpProperties tcp_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Nat>> nats_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Link>> links_;
  std::unordered_map<Address, Host*> host_by_ip_;  ///< keys have port 0
  std::unordered_map<Address, Nat*> nat_by_ip_;
  std::map<std::string, std::vector<Address>, std::less<>> names_;
  std::map<std::uint64_t, std::unique_ptr<TcpConnection>> connections_;
  std::vector<std::uint64_t> discarded_;
  std::uint64_t next_connection_ = 1;
  std::uint8_t other_addresses_ = 0;
};

}  // namespace qmux::sim

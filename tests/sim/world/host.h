// SPDX-License-Identifier: MIT
//
// A machine: addresses, ports, and the sockets bound to them. Finds the socket that a packet or a connection attempt is for,
// and distributes packets among sockets that share a port as Linux does: by addresses, or, where the sockets asked for it
// (io::DatagramOptions::steered_among), by connection ID.
//
// One thread. Owned by the Network. Sockets register themselves and leave before the host does.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "sim/world/packet.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class Nat;
class SimDatagramSocket;
class SimTcpListener;
class World;

class Host final : public Site {
 public:
  /// One address a family, IPv4 first; there may be more later.
  Host(World& world, std::string name, std::vector<Address> addresses);

  [[nodiscard]] World& world() noexcept { return world_; }
  [[nodiscard]] const std::vector<Address>& addresses() const noexcept { return addresses_; }
  void add_address(const Address& address) { addresses_.push_back(address); }
  /// It moves: these addresses take the place of all others. For Network::move().
  void move_to(std::vector<Address> addresses);
  /// This host's first address of a family, with a port.
  [[nodiscard]] Address address(int family, std::uint16_t port) const;
  [[nodiscard]] Address v4(std::uint16_t port) const;
  [[nodiscard]] Address v6(std::uint16_t port) const;
  /// Its last one.
  [[nodiscard]] Address other_address(int family, std::uint16_t port) const;
  /// The address belongs to this host, or is loopback.
  [[nodiscard]] bool owns(const Address& address) const noexcept;

  /// The host can be reached from outside, and is seen there, only through `nat`.
  void put_behind(Nat& nat) noexcept { nat_ = &nat; }
  [[nodiscard]] Nat* nat() const noexcept { return nat_; }
  /// Where its links end: itself, or its NAT box.
  [[nodiscard]] Site& site() noexcept;

  /// The largest IP packet that its own interface takes; sending a larger one fails with too_large, unless it may be
  /// fragmented.
  void set_interface_mtu(std::size_t bytes) noexcept { interface_mtu_bytes_ = bytes; }
  [[nodiscard]] std::size_t interface_mtu() const noexcept { return interface_mtu_bytes_; }
  /// Probability that a send finds the socket's buffer full.
  void set_send_block_chance(double chance) noexcept { send_block_chance_ = chance; }
  [[nodiscard]] double send_block_chance() const noexcept { return send_block_chance_; }
  /// Connections that a listener of its keeps until they are accepted (net.core.somaxconn); TcpProperties::backlog bounds it too.
  void set_backlog(std::size_t connections) noexcept { backlog_ = connections; }
  [[nodiscard]] std::size_t backlog() const noexcept { return backlog_; }
  /// Whether this kernel can steer by connection ID; where it cannot, packets are distributed by addresses alone.
  void set_steering(bool possible) noexcept { steering_ = possible; }
  /// Cut off: nothing leaves, nothing arrives, no connection is made.
  void set_dark(bool dark);
  [[nodiscard]] bool dark() const noexcept { return dark_; }

  void arrive(Packet&& packet) override;

  /// Completes `local` with a free port, and says why it cannot be bound otherwise.
  [[nodiscard]] Result<Address> claim_udp(const Address& local, bool shared_port);
  [[nodiscard]] Result<Address> claim_tcp(const Address& local, bool shared_port);
  /// One that has not been given out lately: what is still on its way to an earlier user would reach the new one, as it may in
  /// any network, and no check could notice it.
  [[nodiscard]] std::uint16_t ephemeral_port();

  void add(SimDatagramSocket& socket) { udp_.push_back(&socket); }
  void remove(SimDatagramSocket& socket) noexcept { std::erase(udp_, &socket); }
  void add(SimTcpListener& listener) { tcp_.push_back(&listener); }
  void remove(SimTcpListener& listener) noexcept { std::erase(tcp_, &listener); }
  /// The listener that a connection attempt reaches (any one of those that share the port); nullptr: refused.
  [[nodiscard]] SimTcpListener* listener_for(const Address& destination);

 private:
  [[nodiscard]] std::vector<SimDatagramSocket*> sockets_for(const Packet& packet) const;
  /// Notifies the sender that no socket has the port.
  void refuse(const Packet& packet);
  void deliver_refusal(const Packet& refusal);
  /// Which one of `sockets` gets the packet.
  [[nodiscard]] std::size_t pick(const std::vector<SimDatagramSocket*>& sockets, const Packet& packet) const;
  [[nodiscard]] Result<Address> check_local(const Address& local) const;

  World& world_;
  std::vector<Address> addresses_;
  SeededRandom random_;
  Nat* nat_ = nullptr;
  std::size_t interface_mtu_bytes_ = 65'535;
  double send_block_chance_ = 0;
  std::size_t backlog_ = 4096;
  bool dark_ = false;
  bool steering_ = true;
  std::bitset<65'536> used_ports_;       ///< lately, as ephemeral ones
  std::vector<SimDatagramSocket*> udp_;  ///< in the order of binding: the order that steering counts in
  std::vector<SimTcpListener*> tcp_;
};

}  // namespace qmux::sim

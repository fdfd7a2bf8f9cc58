// SPDX-License-Identifier: MIT
//
// A local service by UDP: identifies its visitors by their payloads, and answers each as that visitor's script says.
//
// One loop, one thread. The ledger outlives it; the world does not end before it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/io/datagram_socket.h"
#include "sim/actors/udp_ledger.h"
#include "sim/world/loop.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class World;

class UdpService final : private io::DatagramSocket::Events {
 public:
  /// How long after a visitor's last payload it may send unasked.
  static constexpr Duration kUnaskedTimeMax = std::chrono::seconds(8);

  UdpService(World& world, SimLoop& loop, UdpLedger& ledger, const Address& address);

  /// No socket has the port while it is down.
  void go_down();
  void come_back();

 private:
  void datagrams_readable() override;
  void datagrams_writable() override {}

  void came(const Address& from, ConstBytes payload);
  void send(const Address& to, UdpVisitorRecord& visitor, std::size_t bytes, bool unasked);
  void send_later(const Address& to, UdpVisitorRecord& visitor);

  World& world_;
  SimLoop& loop_;
  UdpLedger& ledger_;
  const Address address_;
  const std::string name_;
  SeededRandom random_;
  std::unique_ptr<io::DatagramSocket> socket_;
  std::unordered_map<Address, UdpSource> sources_;
};

}  // namespace qmux::sim

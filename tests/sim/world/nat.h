// SPDX-License-Identifier: MIT
//
// A NAT box in front of hosts: endpoint-independent mapping and filtering (RFC 4787). rebind() forgets every mapping, as a
// reboot or an idle time does: what comes for the old ports is dropped, and the next packet out gets a new one.
//
// One thread. Owned by the Network. TCP passes it without translation of its own (the simulator's TCP has no segments).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "sim/world/packet.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class Host;
class World;

class Nat final : public Site {
 public:
  /// One outer address a family.
  Nat(World& world, std::string name, std::vector<Address> outer);

  /// Gives an outgoing packet its outer source address.
  void translate(Host& inside, Packet& packet);
  void arrive(Packet&& packet) override;

  void rebind();
  /// Mappings that were silent for this long are forgotten; zero: never.
  void set_idle_timeout(Duration timeout) noexcept { idle_timeout_ = timeout; }

  [[nodiscard]] const std::vector<Address>& outer_addresses() const noexcept { return outer_; }
  [[nodiscard]] std::uint64_t dropped_count() const noexcept { return dropped_count_; }

 private:
  struct Mapping {
    Host* host;
    Address inside;
    Time last_use;
  };

  [[nodiscard]] bool is_stale(const Mapping& mapping) const noexcept;
  std::uint16_t map_port(Host& inside, const Address& source);

  World& world_;
  std::vector<Address> outer_;
  SeededRandom random_;
  Duration idle_timeout_{};
  std::map<std::uint16_t, Mapping> by_port_;
  std::unordered_map<Address, std::uint16_t> by_inside_;
  std::uint64_t dropped_count_ = 0;
};

}  // namespace qmux::sim

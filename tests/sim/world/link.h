// SPDX-License-Identifier: MIT
//
// One direction between two sites: a bottleneck of some rate with a bounded queue in front, then a delay, and everything
// that networks do to packets on the way. TCP, which the simulator models without segments, takes only its delay, its rate
// and whether it is blocked from here.
//
// One thread. Owned by the Network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "base/timer_queue.h"
#include "sim/world/packet.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class World;

struct LinkProperties {
  Duration delay = std::chrono::milliseconds(5);
  Duration jitter{};                       ///< added to the delay, uniform in [0, jitter]; order is kept
  std::uint64_t rate_bits_per_second = 0;  ///< 0: unlimited
  std::size_t queue_bytes = 256 * 1024;    ///< waiting in front of the bottleneck; more is dropped
  std::size_t mtu_bytes = 1500;            ///< larger IP packets vanish, unless they may be fragmented
  double loss = 0;                         ///< probability of each, from here on
  double duplication = 0;
  double corruption = 0;  ///< one bit is flipped, and no checksum notices
  double reordering = 0;  ///< held back by up to `reordering_delay`, so that later ones overtake
  Duration reordering_delay = std::chrono::milliseconds(10);
  std::size_t congestion_mark_bytes = 0;  ///< ECN-capable packets that find more than this waiting get CE; 0: never
};

class Link {
 public:
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t blocked = 0;
    std::uint64_t queue_full = 0;
    std::uint64_t too_large = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t marked = 0;
  };

  Link(World& world, const Site& from, Site& to, const LinkProperties& properties);

  void send(Packet&& packet);

  /// May be changed at any time; what is under way keeps its arrival.
  [[nodiscard]] LinkProperties& properties() noexcept { return properties_; }
  /// A blocked link drops what is sent into it; what is under way still arrives.
  void set_blocked(bool blocked);
  [[nodiscard]] bool blocked() const noexcept { return blocked_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  [[nodiscard]] std::size_t waiting_bytes() const noexcept;
  void launch(Packet&& packet, Time leaves);
  void deliver_due();
  void drop(const Packet& packet, const char* why, std::uint64_t& counter);

  World& world_;
  std::string name_;
  Site& to_;
  LinkProperties properties_;
  SeededRandom random_;
  bool blocked_ = false;
  Time bottleneck_free_{};
  Time last_in_order_{};
  std::multimap<Time, Packet> under_way_;  ///< equal times keep the order of sending
  Timer arrival_;
  Counters counters_;
};

}  // namespace qmux::sim

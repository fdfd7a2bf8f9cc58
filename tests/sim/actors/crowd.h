// SPDX-License-Identifier: MIT
//
// The visitors of a run by TCP: each connects when the run begins it, and plays its side of its record.
//
// One loop, one thread. The ledger outlives it.
#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "sim/actors/ledger.h"
#include "sim/actors/talker.h"
#include "sim/world/loop.h"

namespace qmux::sim {

class Crowd {
 public:
  Crowd(World& world, SimLoop& loop, Ledger& ledger) : world_(world), loop_(loop), ledger_(ledger) {}

  /// The visitor of this record goes to `address`. `greeted`: the service there speaks first.
  void send_in(TunnelRecord& tunnel, const Address& address, bool greeted);
  /// All that have come are gone, and send nothing more: their host is dark already.
  void vanish();
  [[nodiscard]] std::size_t over_count() const noexcept { return over_count_; }
  /// Visitors that have come and are not over.
  [[nodiscard]] std::size_t open_count() const noexcept { return gone_count_ + talkers_.size() - over_count_; }

 private:
  World& world_;
  SimLoop& loop_;
  Ledger& ledger_;
  std::list<Talker> talkers_;
  std::size_t gone_count_ = 0;  ///< that have vanished
  std::size_t over_count_ = 0;
};

}  // namespace qmux::sim

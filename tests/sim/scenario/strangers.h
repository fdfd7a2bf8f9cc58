// SPDX-License-Identifier: MIT
//
// Hosts that ask a server for handshakes, hundreds in a second, and never become clients (StrangersPlan).
//
// One thread. The world outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/chunk.h"
#include "base/timer_queue.h"
#include "sim/scenario/plan.h"
#include "sim/scenario/run.h"
#include "sim/world/world.h"

namespace qmux::sim {

class Strangers {
 public:
  /// `server`: the QUIC address that they go to.
  Strangers(World& world, const StrangersPlan& plan, const Address& server, const RunCredentials& credentials);
  ~Strangers();

  /// The plan's times count from now.
  void schedule();
  [[nodiscard]] std::uint64_t attempts_count() const noexcept { return attempts_count_; }

 private:
  class Attempt;
  class Stand;

  void next();

  World& world_;
  const StrangersPlan plan_;
  const Address server_;
  const std::shared_ptr<const quic::Credentials> credentials_;
  ChunkPool chunks_;
  SeededRandom random_;
  std::vector<std::unique_ptr<Stand>> stands_;  ///< one a host
  std::uint64_t attempts_count_ = 0;
  Time end_{};
  Timer next_;
};

}  // namespace qmux::sim

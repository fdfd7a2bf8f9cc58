// SPDX-License-Identifier: MIT
//
// A look-up in the network's table of names, answered after a delay with what the table says then.
#pragma once

#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "sim/world/ready.h"

namespace qmux::sim {

class World;

class SimResolution final : public io::Resolution, private ReadySource {
 public:
  SimResolution(ReadyQueue& ready, World& world, HostPort host, Duration delay, io::EventLoop::Resolved done);

 private:
  void ready(unsigned kind) override;
  [[nodiscard]] Result<std::vector<Address>> answer() const;

  World& world_;
  const HostPort host_;
  io::EventLoop::Resolved done_;
  Timer answer_;
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
#include "sim/actors/crowd.h"

#include "sim/world/world.h"

namespace qmux::sim {

void Crowd::send_in(TunnelRecord& tunnel, const Address& address, bool greeted) {
  const Content up(ledger_.seed, tunnel.id, Direction::up);
  const Content down(ledger_.seed, tunnel.id, Direction::down);
  world_.record("visitor {} goes to {}", tunnel.id, address);
  Talker::Part part{.name = fmt::format("visitor {}", tunnel.id),
                    .script = tunnel.visitor_script,
                    .sends = up,
                    .expects = tunnel.service_script.echo ? up : down};
  if (!tunnel.silent) part.prologue = introduction(tunnel.id);
  if (greeted) part.awaited_prologue = kBanner;
  talkers_.emplace_back(world_, loop_, *loop_.connect_tcp(address), true, std::move(part), tunnel.visitor,
                        [this] { ++over_count_; });
}

void Crowd::vanish() {
  gone_count_ += talkers_.size();
  over_count_ = gone_count_;
  talkers_.clear();
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// What goes wrong in a run: begins and ends the plan's faults at their times, and decides afterwards which tunnels
// may have been lost to them.
//
// One thread. Plan and deployment outlive it.
#pragma once

#include <vector>

#include "sim/scenario/deployment.h"
#include "sim/scenario/plan.h"

namespace qmux::sim {

class Faults {
 public:
  Faults(World& world, const Plan& plan, Deployment& deployment)
      : world_(world), plan_(plan), deployment_(deployment) {}

  /// The plan's times count from now.
  void schedule();
  /// All have begun and ended.
  [[nodiscard]] bool over() const noexcept { return over_count_ == plan_.faults.size(); }
  /// All were registered again at this moment: a tunnel that begins later has no excuse.
  void all_back();
  [[nodiscard]] bool excuse(const TunnelRecord& tunnel) const;
  /// Some fault may have cost a tunnel, or a process its counters.
  [[nodiscard]] bool any_loss_excused() const noexcept;

 private:
  void begin(const FaultPlan& fault);
  void end(const FaultPlan& fault);
  void restart(const FaultPlan& fault);
  void partition(const FaultPlan& fault);
  void shrink_path(const FaultPlan& fault);
  void widen_path(const FaultPlan& fault);
  [[nodiscard]] bool touches(const FaultPlan& fault, const TunnelRecord& tunnel) const;

  World& world_;
  const Plan& plan_;
  Deployment& deployment_;
  Time scheduled_at_{};
  Time back_at_ = kNever;
  std::size_t over_count_ = 0;
};

}  // namespace qmux::sim

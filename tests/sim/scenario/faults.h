// SPDX-License-Identifier: MIT
//
// What goes wrong in a run: brings the plan's faults about at their time, and says afterwards which tunnels may have been
// lost to them.
//
// One thread. Plan and town outlive it.
#pragma once

#include <vector>

#include "sim/scenario/plan.h"
#include "sim/scenario/town.h"

namespace qmux::sim {

class Faults {
 public:
  Faults(World& world, const Plan& plan, Town& town) : world_(world), plan_(plan), town_(town) {}

  /// The plan's times count from now.
  void schedule();
  /// All have begun and been mended.
  [[nodiscard]] bool over() const noexcept { return over_count_ == plan_.faults.size(); }
  /// Everybody was registered again at this moment: what begins later has no excuse.
  void everybody_back();
  [[nodiscard]] bool excuse(const TunnelRecord& tunnel) const;
  /// Some fault may have cost a tunnel, or counts that a crash took with it.
  [[nodiscard]] bool any_loss_excused() const noexcept;

 private:
  void begin(const FaultPlan& fault);
  void mend(const FaultPlan& fault);
  void restart(const FaultPlan& fault);
  void partition(const FaultPlan& fault);
  void shrink_path(const FaultPlan& fault);
  void widen_path(const FaultPlan& fault);
  [[nodiscard]] bool touches(const FaultPlan& fault, const TunnelRecord& tunnel) const;

  World& world_;
  const Plan& plan_;
  Town& town_;
  Time scheduled_at_{};
  Time back_at_ = kNever;
  std::size_t over_count_ = 0;
};

}  // namespace qmux::sim

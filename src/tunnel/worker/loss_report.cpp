// SPDX-License-Identifier: MIT
#include "tunnel/worker/loss_report.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

LossReport::LossReport(TimerQueue& timers, const Counters& counters)
    : counters_(counters), reported_(counter_table().size()), due_(timers, [this] { report(); }) {}

LossReport::~LossReport() { report(); }

void LossReport::look(Time now) {
  if (due_.is_set() || now < next_look_) return;
  next_look_ = now + limits::kLossLookInterval;
  if (losses_in_all() == reported_in_all_) return;
  // Losses that occur together are reported together.
  const Time at = std::max(next_, now + limits::kLossReportDelay);
  next_ = at + limits::kLossReportPeriod;
  due_.set(at);
}

std::uint64_t LossReport::losses_in_all() const noexcept {
  std::uint64_t sum = 0;
  for (const CounterInfo& each : counter_table()) {
    if (each.kind == CounterInfo::Kind::loss) sum += each.value(counters_);
  }
  return sum;
}

void LossReport::report() {
  std::vector<log::Field> fields;
  reported_in_all_ = losses_in_all();
  for (std::size_t i = 0; i < reported_.size(); ++i) {
    const CounterInfo& each = counter_table()[i];
    if (each.kind != CounterInfo::Kind::loss) continue;
    const std::uint64_t value = each.value(counters_);
    const std::uint64_t before = std::exchange(reported_[i], value);
    if (value != before) fields.emplace_back(each.name, value - before);
  }
  if (!fields.empty()) log::write(log::Level::warn, "dropped or refused", fields);
}

}  // namespace qmux::tunnel

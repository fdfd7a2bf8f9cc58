// SPDX-License-Identifier: MIT
#include "wire/reassembly_budget.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qmux::wire {

ReassemblyBudget::ReassemblyBudget(std::size_t bytes_max, std::size_t connection_bytes_max,
                                   ReassemblyCounters* counters)
    : bytes_max_(std::max(bytes_max, kReassemblyGroupBytesMax)),
      connection_bytes_max_(std::max(connection_bytes_max, kReassemblyGroupBytesMax)),
      counters_(counters) {
  free_groups_.reserve(limits::kFreeReassemblyGroupsMax);
  free_blocks_.reserve(limits::kFreeReassemblyBlocksMax);
}

ReassemblyBudget::~ReassemblyBudget() { CHECK(held_bytes_ == 0); }

ReassemblyGroup& ReassemblyBudget::take(ReassemblyGroups& groups, std::uint64_t key) {
  if (free_groups_.empty()) return groups.try_emplace(key).first->second;
  auto node = std::move(free_groups_.back());
  free_groups_.pop_back();
  node.key() = key;
  return groups.insert(std::move(node)).position->second;
}

void ReassemblyBudget::give_back(ReassemblyGroups& groups, ReassemblyGroup& group) noexcept {
  group.clear(free_blocks_);
  auto node = groups.extract(group.key);
  if (free_groups_.size() < limits::kFreeReassemblyGroupsMax) free_groups_.push_back(std::move(node));
}

MutableBytes ReassemblyBudget::assembly() {
  if (!assembly_) assembly_ = std::make_unique_for_overwrite<std::byte[]>(limits::kUdpPayloadBytesMax);
  return {assembly_.get(), limits::kUdpPayloadBytesMax};
}

}  // namespace qmux::wire

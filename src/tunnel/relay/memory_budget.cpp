// SPDX-License-Identifier: MIT
#include "tunnel/relay/memory_budget.h"

#include <utility>

#include "base/chunk.h"

namespace qmux::tunnel {

void MemoryBudget::Holder::charge(std::size_t bytes, bool progressed) {
  const auto call = guard_.call();
  if (bytes == 0) {
    release();
    return;
  }
  const std::size_t chunks = (bytes + Chunk::kCapacityBytes - 1) / Chunk::kCapacityBytes;
  const std::size_t charge = chunks * Chunk::kAllocatedBytes;
  if (charged_bytes_ == 0 || progressed) {
    if (charged_bytes_ > 0) unlink();
    append();
  }
  budget_.charge(std::exchange(charged_bytes_, charge), charge);
}

bool MemoryBudget::Holder::make_room(MemoryBudget& budget) {
  // A holder that has taken something since is not stuck, and goes to the end of the list, each once.
  std::size_t spared = 0;
  bool evicted_any = false;
  while (budget.must_evict()) {
    Holder& longest = *budget.longest_;
    if (spared < budget.holder_count_ && longest.has_progressed()) {
      ++spared;
      longest.unlink();
      longest.append();
      continue;
    }
    longest.guard_.check_no_call();
    longest.release();
    ++budget.evictions_;
    evicted_any = true;
    longest.evicted();
  }
  return evicted_any;
}

void MemoryBudget::Holder::release() noexcept {
  if (charged_bytes_ == 0) return;
  unlink();
  budget_.charge(std::exchange(charged_bytes_, 0), 0);
}

void MemoryBudget::Holder::append() noexcept {
  previous_ = budget_.latest_;
  next_ = nullptr;
  (previous_ != nullptr ? previous_->next_ : budget_.longest_) = this;
  budget_.latest_ = this;
  ++budget_.holder_count_;
}

void MemoryBudget::Holder::unlink() noexcept {
  (previous_ != nullptr ? previous_->next_ : budget_.longest_) = next_;
  (next_ != nullptr ? next_->previous_ : budget_.latest_) = previous_;
  --budget_.holder_count_;
}

}  // namespace qmux::tunnel

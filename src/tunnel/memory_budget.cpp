// SPDX-License-Identifier: MIT
#include "tunnel/memory_budget.h"

#include "base/chunk.h"

namespace qmux::tunnel {

void MemoryBudget::Holder::hold(std::size_t bytes, bool progressed) {
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
  budget_.held_bytes_ += charge - charged_bytes_;
  charged_bytes_ = charge;

  MemoryBudget& budget = budget_;  // this may be gone after the last eviction
  while (budget.held_bytes_ > budget.bytes_max_) {
    Holder& victim = *budget.longest_;
    victim.release();
    ++budget.evictions_;
    victim.evicted();
  }
}

void MemoryBudget::Holder::release() noexcept {
  if (charged_bytes_ == 0) return;
  unlink();
  budget_.held_bytes_ -= charged_bytes_;
  charged_bytes_ = 0;
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

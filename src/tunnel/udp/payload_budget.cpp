// SPDX-License-Identifier: MIT
#include "tunnel/udp/payload_budget.h"

#include <algorithm>

#include "tunnel/limits.h"

namespace qmux::tunnel {

PayloadAccount::PayloadAccount(PayloadBudget& budget) noexcept
    : budget_(budget),
      bytes_max_(std::min(limits::kUdpConnectionWaitingBytesMax, budget.bytes_max() / 2)),
      next_(budget.accounts_) {
  if (next_ != nullptr) next_->previous_ = this;
  budget_.accounts_ = this;
}

PayloadAccount::~PayloadAccount() {
  (previous_ != nullptr ? previous_->next_ : budget_.accounts_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

bool PayloadAccount::has_room() const noexcept { return held_bytes_ < bytes_max_ && budget_.has_room(); }

void PayloadAccount::charge(std::size_t before, std::size_t after) noexcept {
  held_bytes_ += after - before;
  budget_.held_bytes_ += after - before;
}

void PayloadAccount::make_room() {
  if (budget_.has_room()) return;
  PayloadAccount* largest = this;
  for (PayloadAccount* each = budget_.accounts_; each != nullptr; each = each->next_) {
    if (each->held_bytes_ > largest->held_bytes_) largest = each;
  }
  // More than needed, so that a flood does not cause a search for each payload.
  largest->drop_down_to(largest->held_bytes_ - largest->held_bytes_ / 8);
}

}  // namespace qmux::tunnel

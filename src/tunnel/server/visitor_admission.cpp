// SPDX-License-Identifier: MIT
#include "tunnel/server/visitor_admission.h"

#include <algorithm>

#include "base/check.h"

namespace qmux::tunnel {
namespace {

constexpr bool reached(std::size_t count, std::size_t limit) noexcept { return limit != 0 && count >= limit; }

}  // namespace

VisitorAdmission::VisitorAdmission(std::size_t visitors_max, const std::vector<VisitorLimits>& listeners,
                                   std::uint64_t seed)
    : visitors_max_(visitors_max) {
  for (const VisitorLimits& limits : listeners) {
    listeners_.push_back({.limits = limits, .by_source = decltype(Listener::by_source)(0, SourceHash{seed})});
  }
}

std::expected<VisitorAdmission::Ticket, VisitorAdmission::Refusal> VisitorAdmission::admit(std::size_t index,
                                                                                           const Address& remote) {
  const Address source = remote.holder();
  const std::lock_guard lock(mutex_);
  Listener& listener = listeners_[index];
  const auto known = listener.by_source.find(source);
  const std::size_t of_source = known != listener.by_source.end() ? known->second : 0;

  if (visitors_ >= visitors_max_) return std::unexpected(Refusal::process_full);
  const std::size_t share = visitors_max_ / listeners_.size();
  const bool scarce = visitors_ >= visitors_max_ - visitors_max_ / 4;
  const bool over_share = scarce && listener.visitors >= share;
  if (reached(listener.visitors, listener.limits.visitors_max) ||
      (over_share && listener.over_share >= std::max<std::size_t>(share / 8, 1))) {
    return std::unexpected(Refusal::listener_full);
  }
  const std::size_t visitors_of_source_max = over_share ? share / 32 : visitors_max_ / 16;
  if (reached(of_source, listener.limits.visitors_per_source_max) ||
      (scarce && of_source >= std::max<std::size_t>(visitors_of_source_max, 1))) {
    return std::unexpected(Refusal::source_full);
  }
  ++visitors_;
  ++listener.visitors;
  if (over_share) ++listener.over_share;
  ++listener.by_source[source];
  return Ticket(*this, {.listener = index, .source = source, .over_share = over_share});
}

void VisitorAdmission::leave(const Ticket::Leave& ticket) noexcept {
  const std::lock_guard lock(mutex_);
  Listener& listener = listeners_[ticket.listener];
  const auto known = listener.by_source.find(ticket.source);
  CHECK(known != listener.by_source.end() && listener.visitors > 0 && visitors_ > 0);
  if (--known->second == 0) listener.by_source.erase(known);
  if (ticket.over_share) --listener.over_share;
  --listener.visitors;
  --visitors_;
}

std::size_t VisitorAdmission::visitor_count() const {
  const std::lock_guard lock(mutex_);
  return visitors_;
}

}  // namespace qmux::tunnel

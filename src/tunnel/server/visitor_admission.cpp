// SPDX-License-Identifier: MIT
#include "tunnel/server/visitor_admission.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qmux::tunnel {
namespace {

constexpr bool reached(std::size_t count, std::size_t limit) noexcept { return limit != 0 && count >= limit; }

}  // namespace

void VisitorAdmission::set_visitors_max(std::size_t visitors_max) {
  const std::lock_guard lock(mutex_);
  visitors_max_ = visitors_max;
}

void VisitorAdmission::set_limits(std::size_t index, const VisitorLimits& limits) {
  const std::lock_guard lock(mutex_);
  Listener& listener =
      listeners_.try_emplace(index, Listener{.by_source = decltype(Listener::by_source)(0, SourceHash{seed_})})
          .first->second;
  listener.limits = limits;
  if (!std::exchange(listener.open, true)) ++open_listeners_;
}

void VisitorAdmission::close(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(listeners_.at(index).open, false)) --open_listeners_;
  forget_if_gone(index);
}

void VisitorAdmission::forget_if_gone(std::size_t index) noexcept {
  const auto found = listeners_.find(index);
  if (!found->second.open && found->second.visitors == 0) listeners_.erase(found);
}

std::expected<VisitorAdmission::Ticket, VisitorAdmission::Refusal> VisitorAdmission::admit(std::size_t index,
                                                                                           const Address& remote) {
  const Address source = remote.holder();
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(index);
  if (found == listeners_.end() || !found->second.open) return std::unexpected(Refusal::listener_full);
  Listener& listener = found->second;
  const auto known = listener.by_source.find(source);
  const std::size_t of_source = known != listener.by_source.end() ? known->second : 0;

  if (visitors_ >= visitors_max_) return std::unexpected(Refusal::process_full);
  const std::size_t share = visitors_max_ / open_listeners_;
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
  Listener& listener = listeners_.at(ticket.listener);
  const auto known = listener.by_source.find(ticket.source);
  CHECK(known != listener.by_source.end() && listener.visitors > 0 && visitors_ > 0);
  if (--known->second == 0) listener.by_source.erase(known);
  if (ticket.over_share) --listener.over_share;
  --listener.visitors;
  --visitors_;
  forget_if_gone(ticket.listener);
}

std::size_t VisitorAdmission::visitor_count() const {
  const std::lock_guard lock(mutex_);
  return visitors_;
}

std::size_t VisitorAdmission::visitor_count(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(index);
  return found != listeners_.end() ? found->second.visitors : 0;
}

}  // namespace qmux::tunnel

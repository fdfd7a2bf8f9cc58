// SPDX-License-Identifier: MIT
#include "tunnel/client/link_sessions.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

void LinkSessions::add(std::unique_ptr<ClientSession> session, std::unique_ptr<quic::Endpoint> endpoint,
                       const Address& remote) {
  entries_.push_back({.session = std::move(session), .endpoint = endpoint.get(), .remote = remote});
  endpoints_.push_back(std::move(endpoint));
}

LinkSessions::Entry& LinkSessions::of(const ClientSession& session) {
  const auto found = std::ranges::find(entries_, &session, [](const Entry& each) { return each.session.get(); });
  CHECK(found != entries_.end());
  return *found;
}

LinkSessions::Entry LinkSessions::take(const ClientSession& session) {
  const auto place = entries_.begin() + (&of(session) - entries_.data());
  Entry taken = std::move(*place);
  entries_.erase(place);
  return taken;
}

const LinkSessions::Entry* LinkSessions::find(Role role) const noexcept {
  const auto found = std::ranges::find(entries_, role, &Entry::role);
  return found != entries_.end() ? &*found : nullptr;
}

std::size_t LinkSessions::count(Role role) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(entries_, role, &Entry::role));
}

void LinkSessions::close_all(const std::string& reason) {
  for (const auto& endpoint : endpoints_) endpoint->close_all(quic::ErrorCode::shutdown, reason);
}

void LinkSessions::forget_finished() {
  std::erase_if(endpoints_, [](const auto& endpoint) { return endpoint->connection_count() == 0; });
  std::size_t surplus = endpoints_.size() - std::min(endpoints_.size(), entries_.size() + limits::kClosingEndpointsMax);
  std::erase_if(endpoints_, [&](const auto& endpoint) {
    const bool in_use = std::ranges::find(entries_, endpoint.get(), &Entry::endpoint) != entries_.end();
    if (surplus == 0 || in_use) return false;
    --surplus;
    worker_.counters.quic.closing_forgotten += endpoint->connection_count();
    return true;
  });
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/client/address_race.h"

#include <algorithm>

#include "tunnel/limits.h"

namespace qmux::tunnel {

std::vector<Address> interleave_families(const std::vector<Address>& resolved) {
  std::vector<Address> first;
  std::vector<Address> other;
  for (const Address& address : resolved) {
    auto& family = address.family() == resolved.front().family() ? first : other;
    if (std::ranges::find(family, address) == family.end()) family.push_back(address);
  }
  std::vector<Address> order;
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i) {
    if (i < first.size()) order.push_back(first[i]);
    if (i < other.size()) order.push_back(other[i]);
  }
  return order;
}

void AddressRace::begin(const std::vector<Address>& resolved) {
  end();
  for (const Address& address : interleave_families(resolved)) {
    if (candidates_.size() == limits::kAddressesPerNameMax) break;
    candidates_.push_back({.address = address});
  }
}

void AddressRace::end() noexcept {
  candidates_.clear();
  next_start_ = Time::min();
}

std::optional<Address> AddressRace::next(Time now) {
  if (now < next_start()) return std::nullopt;
  Candidate& candidate = *std::ranges::find(candidates_, State::waits, &Candidate::state);
  candidate.state = State::tried;
  next_start_ = now + limits::kAttemptDelay;
  return candidate.address;
}

Time AddressRace::next_start() const noexcept {
  const bool may_start = count(State::decides) == 0 && count(State::tried) < limits::kAttemptsAtOnceMax;
  return may_start && count(State::waits) > 0 ? next_start_ : kNever;
}

void AddressRace::failed(const Address& address) noexcept {
  std::erase_if(candidates_, [&](const Candidate& each) { return each.address == address; });
  next_start_ = Time::min();
}

void AddressRace::handshake_completed(const Address& address) noexcept {
  for (Candidate& each : candidates_) each.state = each.address == address ? State::decides : State::waits;
}

std::size_t AddressRace::count(State state) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(candidates_, state, &Candidate::state));
}

}  // namespace qmux::tunnel

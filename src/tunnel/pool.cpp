// SPDX-License-Identifier: MIT
#include "tunnel/pool.h"

#include <algorithm>

#include "base/check.h"

namespace qmux::tunnel {

std::optional<Pool::Admission> Pool::join(Applicant applicant) {
  const std::lock_guard lock(mutex_);
  Admission admission{.member = 0, .replaced = std::nullopt};
  if (!applicant.instance.empty()) {
    const auto same = std::ranges::find_if(members_, [&](const Member& member) {
      return member.client.slot == applicant.slot && member.client.instance == applicant.instance &&
             member.client.client_id == applicant.client_id;
    });
    if (same != members_.end()) {
      if (same->client.epoch >= applicant.epoch) return std::nullopt;
      admission.replaced = Replaced{.member = same->id, .worker = same->client.worker};
      members_.erase(same);
    }
  }
  for (Member& member : members_) {
    if (member.client.client_id != applicant.client_id) continue;
    const bool one_process = !applicant.instance.empty() && member.client.instance == applicant.instance;
    if (!one_process && member.state != State::draining) admission.has_namesake = true;
    if (member.state == State::ready) member.state = State::suspect;
  }
  admission.member = ++last_id_;
  members_.push_back(Member{.id = admission.member, .client = std::move(applicant)});
  return admission;
}

void Pool::leave(MemberId member) {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [member](const Member& each) { return each.id == member; });
}

void Pool::suspect(MemberId member) {
  const std::lock_guard lock(mutex_);
  Member* const found = find(member);
  if (found != nullptr && found->state == State::ready) found->state = State::suspect;
}

bool Pool::heard_from(MemberId member) {
  const std::lock_guard lock(mutex_);
  Member* const found = find(member);
  if (found != nullptr && found->state == State::suspect) found->state = State::ready;
  return found != nullptr;
}

void Pool::drain(MemberId member) {
  const std::lock_guard lock(mutex_);
  if (Member* const found = find(member)) found->state = State::draining;
}

void Pool::set_stream_credit(MemberId member, bool available) {
  const std::lock_guard lock(mutex_);
  if (Member* const found = find(member)) found->has_credit = available;
}

Pool::Seat Pool::choose(std::span<const MemberId> tried, Need need) {
  const std::lock_guard lock(mutex_);
  Member* best = nullptr;
  for (Member& member : members_) {
    if (member.state == State::draining || std::ranges::find(tried, member.id) != tried.end()) continue;
    if (need == Need::udp && !member.client.udp) continue;
    if (best == nullptr || better(member, *best)) best = &member;
  }
  if (best == nullptr) return {};
  last_chosen_ = best->id;
  ++best->seats;
  return {*this, best->id, best->client.worker};
}

bool Pool::better(const Member& candidate, const Member& best) const noexcept {
  const auto troubles = [](const Member& member) {
    return (member.state == State::suspect ? 2 : 0) + (member.has_credit ? 0 : 1);
  };
  if (troubles(candidate) != troubles(best)) return troubles(candidate) < troubles(best);
  if (balance_ == Balance::least_connections && candidate.seats != best.seats) return candidate.seats < best.seats;
  // In turn: the next one after the last chosen, else the first of all. Candidates come in the order of their ids.
  return candidate.id > last_chosen_ && best.id <= last_chosen_;
}

std::size_t Pool::size() const {
  const std::lock_guard lock(mutex_);
  return members_.size();
}

std::size_t Pool::seats() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Member& member : members_) sum += member.seats;
  return sum;
}

void Pool::give_back(MemberId member) noexcept {
  const std::lock_guard lock(mutex_);
  Member* const found = find(member);
  if (found == nullptr) return;  // has left with its seats
  CHECK(found->seats > 0);
  --found->seats;
}

Pool::Member* Pool::find(MemberId member) noexcept {
  const auto found = std::ranges::lower_bound(members_, member, {}, &Member::id);
  return found != members_.end() && found->id == member ? &*found : nullptr;
}

}  // namespace qmux::tunnel

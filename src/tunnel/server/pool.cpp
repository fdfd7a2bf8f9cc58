// SPDX-License-Identifier: MIT
#include "tunnel/server/pool.h"

#include <algorithm>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

/// Whether two connections come from one running process. It has one local service, and its connections are alive or dead
/// together.
bool same_process(const Applicant& a, const Applicant& b) {
  return !a.instance.empty() && a.instance == b.instance && a.client_id == b.client_id;
}

/// How long other members are preferred after dials have failed in `periods` periods in a row.
Duration penalty(unsigned periods) {
  Duration length = limits::kDialPenaltyTimeMin;
  while (--periods > 0 && length < limits::kDialPenaltyTimeMax) length *= 2;
  return std::min<Duration>(length, limits::kDialPenaltyTimeMax);
}

}  // namespace

void Pool::set_balance(Balance balance) {
  const std::lock_guard lock(mutex_);
  balance_ = balance;
}

std::optional<Pool::Admission> Pool::join(Applicant applicant) {
  const std::lock_guard lock(mutex_);
  Admission admission{.member = 0, .replaced = std::nullopt, .namesake_workers = {}};
  FailedDials failed_dials;
  auto before = members_.end();
  for (auto member = members_.begin(); member != members_.end(); ++member) {
    if (member->client.client_id != applicant.client_id) continue;
    if (!same_process(member->client, applicant)) {
      admission.namesake_workers.push_back(member->client.worker);
      admission.has_namesake = admission.has_namesake || member->state != State::draining;
      continue;
    }
    failed_dials = member->failed_dials;
    // One that drains keeps the tunnels that it has, beside the connection that comes after it.
    if (member->client.slot == applicant.slot && member->state != State::draining) before = member;
  }
  if (before != members_.end()) {
    if (before->client.epoch >= applicant.epoch) return std::nullopt;
    admission.replaced = Replaced{.member = before->id, .worker = before->client.worker};
    members_.erase(before);
  }
  std::ranges::sort(admission.namesake_workers);
  const auto repeated = std::ranges::unique(admission.namesake_workers);
  admission.namesake_workers.erase(repeated.begin(), repeated.end());
  admission.member = ++last_id_;
  members_.push_back(Member{.id = admission.member, .client = std::move(applicant), .failed_dials = failed_dials});
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

std::optional<Duration> Pool::dial_failed(MemberId member, Time now) {
  const std::lock_guard lock(mutex_);
  const Member* const found = find(member);
  if (found == nullptr) return std::nullopt;
  FailedDials failed_dials = found->failed_dials;
  if (failed_dials.periods > 0 && now < failed_dials.period_end) return std::nullopt;
  const Duration length = penalty(++failed_dials.periods);
  failed_dials.period_end = failed_dials.next_probe = now + length;
  share(*found, failed_dials);
  return length;
}

bool Pool::dial_succeeded(MemberId member) {
  const std::lock_guard lock(mutex_);
  const Member* const found = find(member);
  if (found == nullptr || found->failed_dials.periods == 0) return false;
  share(*found, {});
  return true;
}

/// What one connection of a process has found out is valid for all of them.
void Pool::share(const Member& with, FailedDials failed_dials) noexcept {
  for (Member& member : members_) {
    if (member.id == with.id || same_process(member.client, with.client)) member.failed_dials = failed_dials;
  }
}

Pool::Assignment Pool::choose(std::span<const MemberId> tried, Time now, Need need) {
  const std::lock_guard lock(mutex_);
  Member* best = nullptr;
  for (Member& member : members_) {
    if (member.state == State::draining || std::ranges::find(tried, member.id) != tried.end()) continue;
    if (need == Need::udp && !member.client.udp) continue;
    if (best == nullptr || better(member, *best, now, need)) best = &member;
  }
  if (best == nullptr) return {};
  best->last_choice[static_cast<std::size_t>(need)] = ++choices_;
  ++best->assignments;
  ++assignments_;
  FailedDials failed_dials = best->failed_dials;
  const bool is_probe = need == Need::tcp && failed_dials.periods > 0 && now >= failed_dials.next_probe;
  if (is_probe) {
    failed_dials.next_probe = now + limits::kDialProbeTimeMax;
    share(*best, failed_dials);
  }
  return {*this, best->id, best->client.worker, is_probe};
}

bool Pool::better(const Member& candidate, const Member& best, Time now, Need need) const noexcept {
  const auto troubles = [&](const Member& member) {
    const bool avoided = need == Need::tcp && member.failed_dials.periods > 0 && now < member.failed_dials.next_probe;
    return (member.state == State::suspect ? 4 : 0) + (avoided ? 2 : 0) + (member.has_credit ? 0 : 1);
  };
  if (troubles(candidate) != troubles(best)) return troubles(candidate) < troubles(best);
  if (balance_ == Balance::least_connections && candidate.assignments != best.assignments)
    return candidate.assignments < best.assignments;
  const auto turn = static_cast<std::size_t>(need);
  return candidate.last_choice[turn] < best.last_choice[turn];
}

bool Pool::has_other_than(std::span<const MemberId> members) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(members_, [&](const Member& each) {
    return each.state != State::draining && std::ranges::find(members, each.id) == members.end();
  });
}

bool Pool::has_ready_besides(MemberId member) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(members_,
                             [&](const Member& each) { return each.state == State::ready && each.id != member; });
}

std::size_t Pool::size() const {
  const std::lock_guard lock(mutex_);
  return members_.size();
}

std::size_t Pool::assignments() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Member& member : members_) sum += member.assignments;
  return sum;
}

bool Pool::is_unused() const {
  const std::lock_guard lock(mutex_);
  return members_.empty() && assignments_ == 0;
}

void Pool::give_back(MemberId member, bool was_probe) noexcept {
  const std::lock_guard lock(mutex_);
  --assignments_;
  Member* const found = find(member);
  if (found == nullptr) return;  // has left with its assignments
  CHECK(found->assignments > 0);
  --found->assignments;
  // That visitor gave no result: the next one may be sent. The period is over, or a new one has begun.
  FailedDials failed_dials = found->failed_dials;
  if (!was_probe || failed_dials.periods == 0 || failed_dials.next_probe <= failed_dials.period_end) return;
  failed_dials.next_probe = failed_dials.period_end;
  share(*found, failed_dials);
}

Pool::Member* Pool::find(MemberId member) noexcept {
  const auto found = std::ranges::lower_bound(members_, member, {}, &Member::id);
  return found != members_.end() && found->id == member ? &*found : nullptr;
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "wire/reassembler.h"

#include "base/check.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

using Counters = ReassemblyCounters;

constexpr std::uint64_t key_of(std::uint32_t session, std::uint16_t id) { return (std::uint64_t{session} << 16U) | id; }
constexpr std::uint16_t id_of(std::uint64_t key) { return static_cast<std::uint16_t>(key); }

constexpr std::size_t charge_of(std::size_t bytes) {
  return kReassemblyGroupBytes + reassembly_blocks_for(bytes) * sizeof(ReassemblyBlock);
}

}  // namespace

Reassembler::~Reassembler() {
  while (ages_.oldest() != nullptr) drop(*ages_.oldest(), &Counters::forgotten);
}

std::optional<Assembled> Reassembler::add(const Datagram& datagram, Time now) {
  const Fragment fragment = datagram.fragment.value_or(Fragment{});
  CHECK(fragment.index < fragment.total);
  if (fragment.total == 1) return Assembled{.session = datagram.session, .payload = datagram.payload};
  count(&Counters::fragments);
  expire(now);
  if (frag_seq_) drop_overtaken(fragment.id);

  const Received received{
      .key = key_of(datagram.session, fragment.id), .fragment = fragment, .bytes = datagram.payload};
  ReassemblyGroup* const group = open_group(received);
  if (group != nullptr && group->has(fragment.index)) {
    count(&Counters::duplicates);
    return std::nullopt;
  }
  if ((group != nullptr ? group->bytes() : 0) + received.bytes.size() > limits::kUdpPayloadBytesMax) {
    count(&Counters::oversize);
    if (group != nullptr) end(*group);
    return std::nullopt;
  }
  if (group != nullptr && group->fragments() + 1 == group->total) {
    return Assembled{.session = datagram.session, .payload = assemble(received, *group)};
  }
  store(received, group, now);
  return std::nullopt;
}

ReassemblyGroup* Reassembler::open_group(const Received& received) noexcept {
  const auto found = groups_.find(received.key);
  if (found == groups_.end()) return nullptr;
  ReassemblyGroup& group = found->second;
  const auto [id, index, total] = received.fragment;
  if (group.total == total && (!group.has(index) || group.equals(index, received.bytes))) return &group;
  drop(group, &Counters::conflicting);
  return nullptr;
}

void Reassembler::drop_overtaken(std::uint16_t id) noexcept {
  // Checking the oldest alone is enough: apart from reordering, a younger group has a later id. An id a little behind is late.
  // Every other id is ahead, however far, because thousands of ids may be lost.
  while (ReassemblyGroup* const oldest = ages_.oldest()) {
    const auto ahead = static_cast<std::uint16_t>(id - id_of(oldest->key));
    const auto behind = static_cast<std::uint16_t>(-ahead);
    if (ahead < limits::kFragmentIdsAheadMax || behind < limits::kFragmentIdsAheadMax) return;
    drop(*oldest, &Counters::overtaken);
  }
}

bool Reassembler::make_room(std::size_t bytes, const ReassemblyGroup* group) noexcept {
  // Each limit has room for one group of any size, so there is room before the last group is dropped.
  while (held_bytes_ + bytes > budget_.connection_bytes_max_) {
    ReassemblyGroup& oldest = *ages_.oldest();
    const bool is_its_own = &oldest == group;
    drop(oldest, &Counters::evicted_connection_limit);
    if (is_its_own) return false;
  }
  while (budget_.held_bytes_ + bytes > budget_.bytes_max_) {
    ReassemblyGroup& oldest = *budget_.ages_.oldest();
    const bool is_its_own = &oldest == group;
    oldest.owner->drop(oldest, &Counters::evicted_budget);
    if (is_its_own) return false;
  }
  return true;
}

void Reassembler::store(const Received& received, ReassemblyGroup* group, Time now) {
  const std::size_t charged = group != nullptr ? charge_of(group->bytes()) : 0;
  const std::size_t more = charge_of((group != nullptr ? group->bytes() : 0) + received.bytes.size()) - charged;
  if (!make_room(more, group)) return;
  if (group == nullptr) {
    group = &budget_.take(groups_, received.key);
    group->owner = this;
    group->key = received.key;
    group->begun = now;
    group->total = received.fragment.total;
    ages_.append(*group);
    budget_.ages_.append(*group);
  }
  group->append(received.fragment.index, received.bytes, budget_.free_blocks_);
  held_bytes_ += more;
  budget_.held_bytes_ += more;
}

ConstBytes Reassembler::assemble(const Received& last, ReassemblyGroup& group) {
  // The last fragment is copied to its place without being stored.
  const MutableBytes payload = budget_.assembly().first(group.bytes() + last.bytes.size());
  MutableBytes rest = payload;
  for (std::size_t index = 0; index < group.total; ++index) {
    if (index == last.fragment.index) {
      copy_bytes(last.bytes, rest);
      rest = rest.subspan(last.bytes.size());
    } else {
      rest = group.copy(index, rest);
    }
  }
  count(&Counters::assembled);
  end(group);
  return payload;
}

Time Reassembler::deadline() const noexcept {
  return ages_.oldest() == nullptr ? kNever : ages_.oldest()->begun + limits::kReassemblyTimeMax;
}

void Reassembler::expire(Time now) noexcept {
  while (deadline() <= now && ages_.oldest() != nullptr) drop(*ages_.oldest(), &Counters::expired);
}

void Reassembler::forget_session(std::uint32_t session) noexcept {
  auto group = groups_.lower_bound(key_of(session, 0));
  while (group != groups_.end() && group->first <= key_of(session, UINT16_MAX)) {
    drop((group++)->second, &Counters::forgotten);
  }
}

void Reassembler::count(CounterMember counter) noexcept {
  ++(counters_.*counter);
  ++((*budget_.counters_).*counter);
}

void Reassembler::drop(ReassemblyGroup& group, CounterMember reason) noexcept {
  count(reason);
  end(group);
}

void Reassembler::end(ReassemblyGroup& group) noexcept {
  const std::size_t charged = charge_of(group.bytes());
  held_bytes_ -= charged;
  budget_.held_bytes_ -= charged;
  ages_.remove(group);
  budget_.ages_.remove(group);
  budget_.give_back(groups_, group);
}

}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
//
// Reassembles the payloads that arrive in fragments on one connection (docs/PROTOCOL.md, section 7). Accepts any input: fragments
// of any size, in any order, duplicated, of a payload that never completes, or under a reused id.
//
// A group is the fragments received of one payload, under its session and fragment id. It begins with the first fragment
// received. It ends when it is complete. Otherwise it is dropped and counted:
// - after limits::kReassemblyTimeMax;
// - when a fragment arrives that cannot be of the same payload (another total, or other bytes where a fragment has arrived
//   already). A new group begins with it: ids are reused, and the later use is the one whose fragments are still in flight;
// - as the oldest, when a limit of the budget is reached;
// - with frag-seq, once ids arrive that are limits::kFragmentIdsAheadMax from its own.
//
// A delivered payload is not remembered: QUIC delivers a datagram at most once, so none of its fragments arrives again.
//
// Owned by a connection; one thread; makes no callbacks. A fragment costs O(log groups) and allocates nothing in steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "wire/datagram.h"
#include "wire/reassembly_budget.h"

namespace qmux::wire {

/// A reassembled payload.
struct Assembled {
  std::uint32_t session = 0;
  ConstBytes payload{};
};

class Reassembler {
 public:
  /// `frag_seq`: the sender counts ids up and reuses them at once.
  Reassembler(bool frag_seq, ReassemblyBudget& budget) noexcept : frag_seq_(frag_seq), budget_(budget) {}
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;
  /// Gives everything back.
  ~Reassembler();

  /// `datagram` has a fragment. The payload that it completes lies in the budget's memory, and is valid until the next call for
  /// any connection of that budget. The only fragment of one is its own payload and changes nothing here. `now` never goes
  /// backwards.
  [[nodiscard]] std::optional<Assembled> add(const Datagram& datagram, Time now);

  /// When to call expire() next; kNever while nothing is incomplete.
  [[nodiscard]] Time deadline() const noexcept;
  void expire(Time now) noexcept;
  /// The session has ended: drops its incomplete payloads.
  void forget_session(std::uint32_t session) noexcept;

  [[nodiscard]] std::size_t group_count() const noexcept { return groups_.size(); }
  /// Charged to the budget.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] const ReassemblyCounters& counters() const noexcept { return counters_; }

 private:
  using CounterMember = Counter ReassemblyCounters::*;
  struct Received {
    std::uint64_t key;  ///< of its group
    Fragment fragment;
    ConstBytes bytes;
  };

  /// The group that the fragment belongs to, if there is one. A group under the same id to which it cannot belong is dropped.
  ReassemblyGroup* open_group(const Received& received) noexcept;
  void drop_overtaken(std::uint16_t id) noexcept;
  /// Drops groups until `bytes` more can be held. False if `group` was among them.
  bool make_room(std::size_t bytes, const ReassemblyGroup* group) noexcept;
  void store(const Received& received, ReassemblyGroup* group, Time now);
  ConstBytes assemble(const Received& last, ReassemblyGroup& group);

  void count(CounterMember counter) noexcept;
  void drop(ReassemblyGroup& group, CounterMember reason) noexcept;
  void end(ReassemblyGroup& group) noexcept;

  const bool frag_seq_;
  ReassemblyBudget& budget_;
  ReassemblyGroups groups_;
  ReassemblyAges<&ReassemblyGroup::in_connection> ages_;
  std::size_t held_bytes_ = 0;
  ReassemblyCounters counters_;
};

}  // namespace qmux::wire

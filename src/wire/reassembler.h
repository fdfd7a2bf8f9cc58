// SPDX-License-Identifier: MIT
//
// Puts the payloads together that come in fragments on one connection (docs/PROTOCOL.md, section 7). Takes any input in its
// stride: fragments of any sizes, in any order, twice, of a payload that never completes, under an id that has come again.
//
// A group is what has come of one payload. It is known by session and fragment id, begins with the first fragment to come, and
// ends complete, or dropped and counted: after limits::kReassemblyTimeMax; when a fragment comes that cannot be of the same
// payload (another total, or other bytes where a fragment has come already), with which a new group begins, because ids come
// again and the later use is the one whose fragments are still on their way; as the oldest, when a limit of the budget is
// reached; and with frag-seq once ids come that are limits::kFragmentIdsAheadMax from its own.
//
// Nothing remembers a payload that has been delivered: QUIC delivers a datagram at most once, so none of its fragments comes
// again.
//
// Owned by a connection; one thread; calls nobody. A fragment costs O(log groups) and allocates nothing in steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "wire/datagram.h"
#include "wire/reassembly_budget.h"

namespace qmux::wire {

/// A payload from its fragments.
struct Assembled {
  std::uint32_t session = 0;
  ConstBytes payload{};
};

class Reassembler {
 public:
  /// `frag_seq`: the sender counts ids up and uses them again at once.
  Reassembler(bool frag_seq, ReassemblyBudget& budget) noexcept : frag_seq_(frag_seq), budget_(budget) {}
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;
  /// Gives everything back.
  ~Reassembler();

  /// `datagram` has a fragment. The payload that it completes lies in memory of the budget, until the next call for any
  /// connection of it; the only fragment of one is its own payload and changes nothing here. `now` never goes backwards.
  [[nodiscard]] std::optional<Assembled> add(const Datagram& datagram, Time now);

  /// When to call expire() next; kNever while nothing is incomplete.
  [[nodiscard]] Time deadline() const noexcept;
  void expire(Time now) noexcept;
  /// The session has ended, and nobody wants its payloads.
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

  /// The group that the fragment belongs to, if it is open. One under the same id that it cannot belong to is dropped.
  ReassemblyGroup* open_group(const Received& received) noexcept;
  void drop_overtaken(std::uint16_t id) noexcept;
  /// Drops groups until so many bytes more can be held; false if `group` was among them.
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

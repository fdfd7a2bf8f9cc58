// SPDX-License-Identifier: MIT
//
// Limits the memory of incomplete payloads: of all connections of one worker together, and of each connection. Over a limit the
// oldest is dropped first. It keeps some free memory for reuse, so that steady traffic allocates nothing.
//
// One for each worker; one thread; outlives its Reassemblers, which alone call it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/counter.h"
#include "base/given_or_own.h"
#include "wire/limits.h"
#include "wire/reassembly_group.h"

namespace qmux::wire {

/// Counters of payloads that arrive in fragments. A payload dropped incomplete is counted once, under its reason.
struct ReassemblyCounters {
  Counter fragments;
  Counter duplicates;  ///< fragments received before; they have no effect

  Counter assembled;
  Counter expired;                   ///< a fragment did not arrive in time
  Counter evicted_connection_limit;  ///< the oldest when the connection held too much ...
  Counter evicted_budget;            ///< ... or the worker
  Counter conflicting;               ///< a fragment of another payload arrived under the same id
  Counter overtaken;                 ///< frag-seq: ids arrived that are too far from its own
  Counter oversize;                  ///< larger than any UDP payload
  Counter forgotten;                 ///< its session or its connection ended

  bool operator==(const ReassemblyCounters&) const = default;
};

class ReassemblyBudget {
 public:
  /// A limit smaller than the largest payload needs is raised to that. `counters` outlive it. nullptr: it uses counters of its
  /// own.
  explicit ReassemblyBudget(std::size_t bytes_max,
                            std::size_t connection_bytes_max = limits::kReassemblyConnectionBytesMax,
                            ReassemblyCounters* counters = nullptr);
  ReassemblyBudget(const ReassemblyBudget&) = delete;
  ReassemblyBudget& operator=(const ReassemblyBudget&) = delete;
  ~ReassemblyBudget();

  [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }
  [[nodiscard]] std::size_t connection_bytes_max() const noexcept { return connection_bytes_max_; }
  /// All memory of incomplete payloads, bookkeeping included; without the free memory kept for reuse.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  /// Of all connections, including those that have ended.
  [[nodiscard]] const ReassemblyCounters& counters() const noexcept { return *counters_; }

 private:
  friend class Reassembler;

  /// A new group of `groups`.
  ReassemblyGroup& take(ReassemblyGroups& groups, std::uint64_t key);
  void give_back(ReassemblyGroups& groups, ReassemblyGroup& group) noexcept;
  /// Where a payload is assembled; as large as the largest.
  MutableBytes assembly();

  const std::size_t bytes_max_;
  const std::size_t connection_bytes_max_;
  std::size_t held_bytes_ = 0;
  ReassemblyAges<&ReassemblyGroup::in_budget> ages_;
  GivenOrOwn<ReassemblyCounters> counters_;
  std::vector<ReassemblyGroups::node_type> free_groups_;
  FreeReassemblyBlocks free_blocks_;
  std::unique_ptr<std::byte[]> assembly_;
};

}  // namespace qmux::wire

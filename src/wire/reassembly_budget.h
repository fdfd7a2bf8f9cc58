// SPDX-License-Identifier: MIT
//
// What the incomplete payloads of all connections of one worker may hold together, and each connection's for itself. Over a
// limit the oldest goes first. Keeps some memory that is free, so that steady traffic allocates nothing.
//
// One a worker; one thread; outlives its Reassemblers, and all that happens to it is their doing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/counter.h"
#include "wire/limits.h"
#include "wire/reassembly_group.h"

namespace qmux::wire {

/// How often something happened to what came in fragments. What was dropped incomplete is counted once, for its reason.
struct ReassemblyCounters {
  Counter fragments;
  Counter duplicates;  ///< fragments that had come already, and had no effect

  Counter assembled;
  Counter expired;                   ///< a fragment did not come in time
  Counter evicted_connection_limit;  ///< the oldest when the connection held too much ...
  Counter evicted_budget;            ///< ... or the worker
  Counter conflicting;               ///< a fragment came that is another payload's under the same id
  Counter overtaken;                 ///< frag-seq: ids came that are too far from its own
  Counter oversize;                  ///< larger than any UDP payload
  Counter forgotten;                 ///< its session or its connection ended

  bool operator==(const ReassemblyCounters&) const = default;
};

class ReassemblyBudget {
 public:
  /// A limit smaller than what the largest payload takes is raised to that. `counters` outlive it; nullptr: it counts for itself.
  explicit ReassemblyBudget(std::size_t bytes_max,
                            std::size_t connection_bytes_max = limits::kReassemblyConnectionBytesMax,
                            ReassemblyCounters* counters = nullptr);
  ReassemblyBudget(const ReassemblyBudget&) = delete;
  ReassemblyBudget& operator=(const ReassemblyBudget&) = delete;
  ~ReassemblyBudget();

  [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }
  [[nodiscard]] std::size_t connection_bytes_max() const noexcept { return connection_bytes_max_; }
  /// All memory of incomplete payloads, bookkeeping included; without what is kept free.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  /// Of all connections, those that are gone included.
  [[nodiscard]] const ReassemblyCounters& counters() const noexcept { return counters_; }

 private:
  friend class Reassembler;

  /// A new group of `groups`.
  ReassemblyGroup& take(ReassemblyGroups& groups, std::uint64_t key);
  void give_back(ReassemblyGroups& groups, ReassemblyGroup& group) noexcept;
  /// Where a payload is put together; as large as any.
  MutableBytes assembly();

  const std::size_t bytes_max_;
  const std::size_t connection_bytes_max_;
  std::size_t held_bytes_ = 0;
  ReassemblyAges<&ReassemblyGroup::in_budget> ages_;
  ReassemblyCounters own_counters_;
  ReassemblyCounters& counters_;
  std::vector<ReassemblyGroups::node_type> free_groups_;
  FreeReassemblyBlocks free_blocks_;
  std::unique_ptr<std::byte[]> assembly_;
};

}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
//
// The fragment ids of what one connection sends (docs/PROTOCOL.md, section 7): they count up from a random start, so that
// they seldom meet another connection's at a receiver that tells groups apart by the id alone, and leave out the id of escapes.
//
// Towards a Go receiver an id rests for limits::kFragmentIdReuseMin between two uses. A time for each of 65,535 ids
// would be half a megabyte a connection. As ids are handed out in order, one time for each block of them is enough: that of
// the last id of the block handed out, which is the youngest. When the count comes back to the block, all of it rests until that
// one has rested; so no id comes back early, and at most one block in 64 comes back late.
//
// Owned by a connection; one thread; allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace qmux::wire {

class FragmentIds {
 public:
  /// `frag_seq`: the receiver keeps up with ids that come again at once.
  FragmentIds(std::uint16_t start_random, bool frag_seq) noexcept;

  /// The id of the next payload in fragments; nothing while all have been used lately. `now` never goes backwards.
  [[nodiscard]] std::optional<std::uint16_t> next(Time now) noexcept;

 private:
  static constexpr std::size_t kBlockIds = 1024;
  static constexpr std::size_t kBlocks = 65536 / kBlockIds;

  const bool frag_seq_;
  std::uint16_t next_;
  std::array<Time, kBlocks> rested_at_;
};

}  // namespace qmux::wire

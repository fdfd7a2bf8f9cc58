// SPDX-License-Identifier: MIT
//
// The fragment ids of what one connection sends (docs/PROTOCOL.md, section 7). They count up from a random start, so that they
// seldom equal another connection's at a receiver that distinguishes groups by the id alone. They leave out the id of escapes.
//
// Towards a Go receiver an id rests for limits::kFragmentIdReuseTimeMin between two uses. A time for each of 65,535 ids would
// take half a megabyte a connection. Ids are handed out in order, so one time for each block of ids is enough: that of the last
// id handed out of the block. When the count returns to the block, the whole block rests until that id has rested. So no id is
// reused too early, and at most one block in 64 is reused late.
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
  /// `frag_seq`: the receiver handles ids that are reused at once.
  FragmentIds(std::uint16_t start_random, bool frag_seq) noexcept;

  /// The id of the next payload in fragments; nothing while all have been used recently. `now` never goes backwards.
  [[nodiscard]] std::optional<std::uint16_t> next(Time now) noexcept;

 private:
  static constexpr std::size_t kBlockIds = 1024;
  static constexpr std::size_t kBlocks = 65536 / kBlockIds;

  const bool frag_seq_;
  std::uint16_t next_;
  std::array<Time, kBlocks> rested_at_;
};

}  // namespace qmux::wire

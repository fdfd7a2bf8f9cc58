// SPDX-License-Identifier: MIT
#include "wire/fragment_ids.h"

#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

std::uint16_t without_escape(std::uint16_t id) {
  return id == kEscapeFragmentId ? static_cast<std::uint16_t>(id + 1) : id;
}

}  // namespace

FragmentIds::FragmentIds(std::uint16_t start_random, bool frag_seq) noexcept
    : frag_seq_(frag_seq), next_(without_escape(start_random)) {
  rested_at_.fill(Time::min());
}

std::optional<std::uint16_t> FragmentIds::next(Time now) noexcept {
  const std::uint16_t id = next_;
  if (!frag_seq_) {
    const std::size_t block = id / kBlockIds;
    const bool begins_block = id == without_escape(static_cast<std::uint16_t>(block * kBlockIds));
    // Within a block this was checked when the block began. The first block may begin in its middle, unused.
    if (begins_block && now < rested_at_[block]) return std::nullopt;
    rested_at_[block] = now + limits::kFragmentIdReuseTimeMin;
  }
  next_ = without_escape(static_cast<std::uint16_t>(id + 1));
  return id;
}

}  // namespace qmux::wire

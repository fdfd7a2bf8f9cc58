// SPDX-License-Identifier: MIT
#include "wire/reassembly_group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qmux::wire {
namespace {

std::unique_ptr<ReassemblyBlock> take_block(FreeReassemblyBlocks& free) {
  if (free.empty()) return std::make_unique_for_overwrite<ReassemblyBlock>();
  auto block = std::move(free.back());
  free.pop_back();
  return block;
}

}  // namespace

/// Calls visitor(where in the fragment, the bytes there) for each piece of it that lies in one block; false ends that.
template <typename Visitor>
void ReassemblyGroup::visit(Stored fragment, const Visitor& visitor) const {
  for (std::size_t done = 0; done < fragment.size;) {
    const std::size_t at = fragment.offset + done;
    const std::size_t in_block = at % sizeof(ReassemblyBlock);
    const std::size_t size = std::min(fragment.size - done, sizeof(ReassemblyBlock) - in_block);
    if (!visitor(done, ConstBytes(*blocks_[at / sizeof(ReassemblyBlock)]).subspan(in_block, size))) return;
    done += size;
  }
}

bool ReassemblyGroup::equals(std::size_t index, ConstBytes fragment) const noexcept {
  bool equal = stored_[index].size == fragment.size();
  if (!equal) return false;
  visit(stored_[index], [&](std::size_t at, ConstBytes piece) {
    equal = std::ranges::equal(piece, fragment.subspan(at, piece.size()));
    return equal;
  });
  return equal;
}

MutableBytes ReassemblyGroup::copy(std::size_t index, MutableBytes out) const noexcept {
  visit(stored_[index], [&](std::size_t at, ConstBytes piece) {
    copy_bytes(piece, out.subspan(at));
    return true;
  });
  return out.subspan(stored_[index].size);
}

void ReassemblyGroup::append(std::size_t index, ConstBytes fragment, FreeReassemblyBlocks& free) {
  CHECK(!has_.test(index) && bytes_ + fragment.size() <= limits::kUdpPayloadBytesMax);
  stored_[index] = {.offset = static_cast<std::uint16_t>(bytes_), .size = static_cast<std::uint16_t>(fragment.size())};
  has_.set(index);
  ++fragments_;
  while (!fragment.empty()) {
    const std::size_t in_block = bytes_ % sizeof(ReassemblyBlock);
    auto& block = blocks_[bytes_ / sizeof(ReassemblyBlock)];
    if (in_block == 0) block = take_block(free);
    const ConstBytes piece = fragment.first(std::min(fragment.size(), sizeof(ReassemblyBlock) - in_block));
    copy_bytes(piece, MutableBytes(*block).subspan(in_block));
    bytes_ += piece.size();
    fragment = fragment.subspan(piece.size());
  }
}

void ReassemblyGroup::clear(FreeReassemblyBlocks& free) noexcept {
  for (auto& block : std::span(blocks_).first(reassembly_blocks_for(bytes_))) {
    if (free.size() < limits::kFreeReassemblyBlocksMax) free.push_back(std::move(block));
    block.reset();
  }
  bytes_ = 0;
  fragments_ = 0;
  has_.reset();
}

}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
//
// An incomplete payload: its received fragments, of any sizes and in any order. Their bytes lie in blocks, one fragment after the
// other in the order of arrival. So a group uses memory for received bytes, not for announced ones.
//
// Owned by a Reassembler; taken from and given back to its ReassemblyBudget. One thread.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::wire {

class Reassembler;

using ReassemblyBlock = std::array<std::byte, 2048>;
using FreeReassemblyBlocks = std::vector<std::unique_ptr<ReassemblyBlock>>;

/// How many blocks the received fragments of a group take.
[[nodiscard]] constexpr std::size_t reassembly_blocks_for(std::size_t bytes) noexcept {
  return (bytes + sizeof(ReassemblyBlock) - 1) / sizeof(ReassemblyBlock);
}

class ReassemblyGroup {
 public:
  /// Neighbours in a list by age.
  struct Links {
    ReassemblyGroup* older = nullptr;
    ReassemblyGroup* younger = nullptr;
  };

  [[nodiscard]] bool has(std::size_t index) const noexcept { return has_.test(index); }
  [[nodiscard]] std::size_t fragments() const noexcept { return fragments_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Whether the received fragment has these bytes.
  [[nodiscard]] bool equals(std::size_t index, ConstBytes fragment) const noexcept;
  /// Copies the received fragment to the beginning of `out`. Returns the rest of `out`.
  [[nodiscard]] MutableBytes copy(std::size_t index, MutableBytes out) const noexcept;

  /// Stores a fragment that has not been received yet. No more than limits::kUdpPayloadBytesMax in all.
  void append(std::size_t index, ConstBytes fragment, FreeReassemblyBlocks& free);
  /// Empties the group and gives all its blocks back.
  void clear(FreeReassemblyBlocks& free) noexcept;

  // The Reassembler's notes.
  Reassembler* owner = nullptr;
  Links in_connection;
  Links in_budget;
  std::uint64_t key = 0;
  Time begun{};
  std::uint8_t total = 0;

 private:
  struct Stored {
    std::uint16_t offset;
    std::uint16_t size;
  };
  static_assert(limits::kUdpPayloadBytesMax <= UINT16_MAX);

  template <typename Visitor>
  void visit(Stored fragment, const Visitor& visitor) const;

  std::size_t bytes_ = 0;
  std::size_t fragments_ = 0;
  std::bitset<kFragmentsMax> has_;
  std::array<Stored, kFragmentsMax> stored_{};  ///< of those that has_ names
  std::array<std::unique_ptr<ReassemblyBlock>, reassembly_blocks_for(limits::kUdpPayloadBytesMax)> blocks_;
};

/// By session and fragment id. An ordered map: no choice of ids by a peer makes it slow, and its nodes can be taken out, kept and
/// reused elsewhere.
using ReassemblyGroups = std::map<std::uint64_t, ReassemblyGroup>;

/// What a group is charged: its node in the map (which has a colour and three links besides), then its blocks.
inline constexpr std::size_t kReassemblyGroupBytes = sizeof(ReassemblyGroups::value_type) + 4 * sizeof(void*);
inline constexpr std::size_t kReassemblyGroupBytesMax =
    kReassemblyGroupBytes + reassembly_blocks_for(limits::kUdpPayloadBytesMax) * sizeof(ReassemblyBlock);

/// Groups from the oldest to the youngest, linked through one of their members.
template <ReassemblyGroup::Links ReassemblyGroup::* kLinks>
class ReassemblyAges {
 public:
  [[nodiscard]] ReassemblyGroup* oldest() const noexcept { return oldest_; }

  void append(ReassemblyGroup& group) noexcept {
    group.*kLinks = {.older = youngest_, .younger = nullptr};
    (youngest_ != nullptr ? (youngest_->*kLinks).younger : oldest_) = &group;
    youngest_ = &group;
  }
  void remove(ReassemblyGroup& group) noexcept {
    const auto [older, younger] = group.*kLinks;
    (older != nullptr ? (older->*kLinks).younger : oldest_) = younger;
    (younger != nullptr ? (younger->*kLinks).older : youngest_) = older;
  }

 private:
  ReassemblyGroup* oldest_ = nullptr;
  ReassemblyGroup* youngest_ = nullptr;
};

}  // namespace qmux::wire

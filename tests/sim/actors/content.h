// SPDX-License-Identifier: MIT
//
// Bytes that can be made and checked at any offset without being stored: a function of a key and the offset. Each direction
// of each tunnel has a key of its own, so that bytes of one that turn up in another are recognised.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

enum class Direction : std::uint8_t { up, down };  ///< from the visitor to the local service, and back

class Content {
 public:
  Content(std::uint64_t seed, std::uint64_t tunnel, Direction direction) noexcept
      : key_(mix64(mix64(seed) ^ mix64(tunnel * 2 + static_cast<std::uint64_t>(direction)))) {}

  void fill(std::uint64_t offset, MutableBytes into) const noexcept {
    walk(offset, into, [](MutableBytes part, const std::byte* content) {
      std::memcpy(part.data(), content, part.size());
      return true;
    });
  }
  [[nodiscard]] bool matches(std::uint64_t offset, ConstBytes bytes) const noexcept {
    return walk(offset, bytes, [](ConstBytes part, const std::byte* content) {
      return std::memcmp(part.data(), content, part.size()) == 0;
    });
  }

 private:
  static constexpr std::size_t kWordBytes = 8;
  using Word = std::array<std::byte, kWordBytes>;

  /// Gives each part of `bytes` that lies in one word, with its content, to `take`, until that returns false. Says whether it
  /// never did.
  template <typename Bytes, typename Take>
  bool walk(std::uint64_t offset, Bytes bytes, Take take) const noexcept {
    const auto take_up_to = [&](std::size_t count) {
      const Word word = word_at(offset);
      if (!take(bytes.first(count), word.data() + offset % word.size())) return false;
      bytes = bytes.subspan(count);
      offset += count;
      return true;
    };
    if (const std::size_t skipped = offset % kWordBytes; skipped != 0 && !bytes.empty()) {
      if (!take_up_to(std::min(bytes.size(), kWordBytes - skipped))) return false;
    }
    while (bytes.size() >= kWordBytes) {
      // A constant size: one load and one store.
      if (!take_up_to(kWordBytes)) return false;
    }
    return bytes.empty() || take_up_to(bytes.size());
  }

  /// The word that `offset` lies in, its lowest byte first.
  [[nodiscard]] Word word_at(std::uint64_t offset) const noexcept {
    return std::bit_cast<Word>(std::byteswap(big_endian(mix64(key_ ^ (offset / kWordBytes)))));
  }

  std::uint64_t key_;
};

}  // namespace qmux::sim

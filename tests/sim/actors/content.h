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
    while (!into.empty()) {
      const Word word = word_at(offset);
      const std::size_t skipped = offset % word.size();
      const std::size_t count = std::min(into.size(), word.size() - skipped);
      std::memcpy(into.data(), word.data() + skipped, count);
      into = into.subspan(count);
      offset += count;
    }
  }
  [[nodiscard]] bool matches(std::uint64_t offset, ConstBytes bytes) const noexcept {
    while (!bytes.empty()) {
      const Word word = word_at(offset);
      const std::size_t skipped = offset % word.size();
      const std::size_t count = std::min(bytes.size(), word.size() - skipped);
      if (std::memcmp(bytes.data(), word.data() + skipped, count) != 0) return false;
      bytes = bytes.subspan(count);
      offset += count;
    }
    return true;
  }

 private:
  using Word = std::array<std::byte, 8>;
  /// The word that `offset` lies in, its lowest byte first.
  [[nodiscard]] Word word_at(std::uint64_t offset) const noexcept {
    const std::uint64_t word = std::byteswap(mix64(key_ ^ (offset / 8)));
    Word bytes;
    write_be<std::uint64_t>(bytes, word);
    return bytes;
  }

  std::uint64_t key_;
};

}  // namespace qmux::sim

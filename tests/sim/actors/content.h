// SPDX-License-Identifier: MIT
//
// Bytes that can be made and checked at any offset without being stored: a function of a key and the offset. Each direction
// of each tunnel has a key of its own, so that bytes of one that turn up in another are recognised.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

enum class Direction : std::uint8_t { up, down };  ///< from the visitor to the local service, and back

class Content {
 public:
  Content(std::uint64_t seed, std::uint64_t tunnel, Direction direction) noexcept
      : key_(mix64(mix64(seed) ^ mix64(tunnel * 2 + static_cast<std::uint64_t>(direction)))) {}

  void fill(std::uint64_t offset, MutableBytes into) const noexcept {
    for (std::byte& b : into) b = at(offset++);
  }
  [[nodiscard]] bool matches(std::uint64_t offset, ConstBytes bytes) const noexcept {
    for (const std::byte b : bytes) {
      if (b != at(offset++)) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::byte at(std::uint64_t offset) const noexcept {
    return static_cast<std::byte>(mix64(key_ ^ (offset / 8)) >> (8 * (offset % 8)));
  }

  std::uint64_t key_;
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// The content of UDP payloads. Each names its visitor and its number, and the other bytes follow from these. So the receiver
// knows which visitor it belongs to and whether a bit is wrong:
//
//   visitor (2) | what looks like a fragment's flags or not (1) | number (4) | bytes of the visitor and the number
//
// Payloads too short for a number are alike for the same visitor and size, and can only be counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "sim/actors/content.h"

namespace qmux::sim {

class UdpContent {
 public:
  static constexpr std::size_t kNumberedBytesMin = 7;
  /// Shorter ones do not name their visitor.
  static constexpr std::size_t kNamedBytesMin = 2;

  explicit UdpContent(std::uint64_t seed) noexcept : seed_(seed) {}

  /// `like_fragment`: the third byte is 0x80 or more, which the wire has to escape.
  [[nodiscard]] std::vector<std::byte> make(Direction direction, std::uint16_t visitor, std::uint32_t number,
                                            std::size_t bytes, bool like_fragment) const;

  /// Of a payload of at least kNamedBytesMin.
  [[nodiscard]] static std::uint16_t visitor(ConstBytes payload) noexcept { return read_be<std::uint16_t>(payload); }
  /// Of a payload of at least kNumberedBytesMin.
  [[nodiscard]] static std::uint32_t number(ConstBytes payload) noexcept {
    return read_be<std::uint32_t>(payload.subspan(3));
  }

 private:
  std::uint64_t seed_;
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
#include "sim/actors/udp_content.h"

#include <algorithm>
#include <array>

namespace qmux::sim {
namespace {

constexpr std::byte kFragmented{0x80};

}  // namespace

std::vector<std::byte> UdpContent::make(Direction direction, std::uint16_t visitor, std::uint32_t number,
                                        std::size_t bytes, bool like_fragment) const {
  std::vector<std::byte> payload(bytes);
  const bool numbered = bytes >= kNumberedBytesMin;
  const std::uint64_t which = numbered ? number : bytes;
  Content(seed_, (std::uint64_t{visitor} << 33U) | (std::uint64_t{numbered} << 32U) | which, direction)
      .fill(0, payload);
  std::array<std::byte, 2> name;
  write_be<std::uint16_t>(name, visitor);
  std::copy_n(name.begin(), std::min(bytes, name.size()), payload.begin());
  if (!numbered) return payload;
  payload[2] = like_fragment ? payload[2] | kFragmented : payload[2] & ~kFragmented;
  write_be<std::uint32_t>(std::span(payload).subspan(3), number);
  return payload;
}

}  // namespace qmux::sim

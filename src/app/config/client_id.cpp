// SPDX-License-Identifier: MIT
#include "app/config/client_id.h"

#include <array>

namespace qmux::app {

std::string random_client_id(Random& random) {
  std::array<std::byte, 16> bytes;
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // version 4
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant
  constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += kHex[std::to_integer<unsigned>(bytes[i]) >> 4U];
    id += kHex[std::to_integer<unsigned>(bytes[i]) & 0x0fU];
  }
  return id;
}

}  // namespace qmux::app

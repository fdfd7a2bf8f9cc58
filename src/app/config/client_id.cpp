// SPDX-License-Identifier: MIT
#include "app/config/client_id.h"

#include <unistd.h>

#include <array>

#include "base/check.h"

namespace qmux::app {

std::string random_client_id() {
  std::array<unsigned char, 16> bytes{};
  CHECK(::getentropy(bytes.data(), bytes.size()) == 0);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);  // version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);  // variant
  constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += kHex[bytes[i] >> 4U];
    id += kHex[bytes[i] & 0x0fU];
  }
  return id;
}

}  // namespace qmux::app

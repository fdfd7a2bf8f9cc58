// SPDX-License-Identifier: MIT
#include "app/config/client_id.h"

#include <array>

#include "base/printable.h"

namespace qmux::app {

std::string random_client_id(Random& random) {
  std::array<std::byte, 16> bytes;
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // version 4
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant
  std::string id = hex(bytes);
  for (const std::size_t hyphen : {8U, 13U, 18U, 23U}) id.insert(hyphen, 1, '-');
  return id;
}

}  // namespace qmux::app

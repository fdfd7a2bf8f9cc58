// SPDX-License-Identifier: MIT
#include "sim/actors/ledger.h"

#include "base/bytes.h"

namespace qmux::sim {

std::string introduction(std::uint64_t id) {
  std::string text(8, '\0');
  write_be<std::uint64_t>(std::as_writable_bytes(std::span(text)), id);
  return text;
}

}  // namespace qmux::sim

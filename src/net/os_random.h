// SPDX-License-Identifier: MIT
//
// Randomness from the kernel (getrandom(2)), drawn in blocks so that a connection ID or a jitter costs no
// system call.
#pragma once

#include <array>
#include <cstddef>

#include "base/random.h"

namespace qmux::net {

class OsRandom final : public Random {
 public:
  void fill(MutableBytes into) noexcept override;

 private:
  std::array<std::byte, 256> block_;
  std::size_t left_ = 0;  ///< unused bytes, at the end of block_
};

}  // namespace qmux::net

// SPDX-License-Identifier: MIT
//
// A fuzzer's bytes as a source of decisions and of data. Once used up it decides 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace qmux::fuzz {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  std::uint8_t byte() {
    const ConstBytes one = bytes(1);
    return one.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(one.front());
  }

  /// 0 to `most`, by one byte.
  std::size_t up_to(std::size_t most) { return std::min<std::size_t>(byte(), most); }

  ConstBytes bytes(std::size_t count) {
    const ConstBytes taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  ConstBytes rest() { return bytes(rest_.size()); }

 private:
  ConstBytes rest_;
};

}  // namespace qmux::fuzz

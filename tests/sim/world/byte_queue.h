// SPDX-License-Identifier: MIT
//
// A first-in first-out queue of bytes, for socket buffers in the simulator.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "base/bytes.h"

namespace qmux::sim {

class ByteQueue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return data_.size() - head_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  void append(ConstBytes bytes) { data_.insert(data_.end(), bytes.begin(), bytes.end()); }

  /// Moves min(size, into.size()) bytes out and returns how many.
  std::size_t take(MutableBytes into) {
    const std::size_t count = std::min(into.size(), size());
    if (count == 0) return 0;
    std::memcpy(into.data(), data_.data() + head_, count);
    head_ += count;
    if (head_ == data_.size()) {
      clear();
    } else if (head_ > data_.size() / 2) {
      data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return count;
  }

  void clear() noexcept {
    data_.clear();
    head_ = 0;
  }

 private:
  std::vector<std::byte> data_;
  std::size_t head_ = 0;
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Counts events. One thread counts. Any thread may read; the value may be slightly out of date. Neither thread waits for the
// other. Only the counting thread stores, so it needs no locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace qmux {

class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) noexcept : value_(other.value()) {}
  Counter& operator=(const Counter& other) noexcept {
    set(other.value());
    return *this;
  }

  Counter& operator++() noexcept { return *this += 1; }
  Counter& operator+=(std::uint64_t events) noexcept {
    set(value() + events);
    return *this;
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
  // NOLINTNEXTLINE(google-explicit-constructor): it is read as the number that it is
  operator std::uint64_t() const noexcept { return value(); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace qmux

// SPDX-License-Identifier: MIT
//
// What a caller may lend to an object: the lent one, which outlives this, or else one of its own. For counters, which a worker
// keeps in one place and a test may leave out.
#pragma once

namespace qmux {

template <typename T>
class GivenOrOwn {
 public:
  /// nullptr: its own.
  explicit GivenOrOwn(T* given) noexcept : used_(given != nullptr ? given : &own_) {}
  GivenOrOwn(const GivenOrOwn&) = delete;
  GivenOrOwn& operator=(const GivenOrOwn&) = delete;

  [[nodiscard]] T& operator*() noexcept { return *used_; }
  [[nodiscard]] const T& operator*() const noexcept { return *used_; }
  [[nodiscard]] T* operator->() noexcept { return used_; }

 private:
  T own_;
  T* const used_;
};

}  // namespace qmux

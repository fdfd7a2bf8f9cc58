// SPDX-License-Identifier: MIT
//
// Checks the rule that no callback runs inside a call made by its receiver. The class marks the calls that its host makes. Before
// each callback to the host it states that no such call is in progress. Debug and sanitizer builds check this (QMUX_CALL_GUARDS).
// In a release build the class is empty and has no effect.
//
// One thread, that of the object.
#pragma once

#include "base/check.h"

namespace qmux {

class CallGuard {
 public:
  CallGuard() = default;
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

#ifdef QMUX_CALL_GUARDS
  /// Marks a call by the host until it is destroyed. Calls may nest, because a callback may lead to one. The guarded object may
  /// be destroyed only when no call is in progress.
  class Call {
   public:
    explicit Call(int& depth) noexcept : depth_(depth) { ++depth_; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { --depth_; }

   private:
    int& depth_;
  };

  ~CallGuard() { CHECK(calls_ == 0); }
  [[nodiscard]] Call call() noexcept { return Call(calls_); }
  /// Before a callback.
  void check_no_call() const { CHECK(calls_ == 0); }

 private:
  int calls_ = 0;
#else
  struct [[maybe_unused]] Call {};

  [[nodiscard]] static Call call() noexcept { return {}; }
  static void check_no_call() noexcept {}
#endif
};

}  // namespace qmux

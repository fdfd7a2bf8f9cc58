// SPDX-License-Identifier: MIT
//
// Holds a class to the rule of this house: no callback runs inside a call made by its receiver. The class marks the calls that
// its host makes, and states before each callback to the host that none of them is under way. Debug and sanitizer builds check
// it (QMUX_CALL_GUARDS); a release build holds nothing and does nothing.
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
  /// A call of the host's, until it is destroyed. Calls may nest: a callback may lead to one. The object may be destroyed
  /// only when none is under way.
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

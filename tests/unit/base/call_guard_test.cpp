// SPDX-License-Identifier: MIT
#include "base/call_guard.h"

#include <gtest/gtest.h>

namespace qmux {
namespace {

TEST(CallGuard, lets_callbacks_run_between_calls) {
  CallGuard guard;
  guard.check_no_call();
  {
    const auto outer = guard.call();
    const auto nested = guard.call();
  }
  guard.check_no_call();
}

#ifdef QMUX_CALL_GUARDS
TEST(CallGuardDeathTest, ends_the_process_when_a_callback_would_run_inside_a_call) {
  CallGuard guard;
  EXPECT_DEATH(
      {
        const auto call = guard.call();
        guard.check_no_call();
      },
      "calls_ == 0");
}
#endif

}  // namespace
}  // namespace qmux

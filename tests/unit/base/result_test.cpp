// SPDX-License-Identifier: MIT
#include "base/result.h"

#include <gtest/gtest.h>

namespace qmux {
namespace {

TEST(Error, says_where_what_and_what_would_be_right) {
  EXPECT_EQ((Error{"port 70000 is out of range", "server.yaml:3:17", "1 to 65535"}.text()),
            "server.yaml:3:17: port 70000 is out of range (expected 1 to 65535)");
  EXPECT_EQ((Error{"no route", "", ""}.text()), "no route");
}

}  // namespace
}  // namespace qmux

// SPDX-License-Identifier: MIT
#include "app/main.h"

#include <cstdio>

namespace qmux::app {

int run(int /*argc*/, char** /*argv*/) noexcept {
  std::puts("2.0.0");
  return 0;
}

}  // namespace qmux::app

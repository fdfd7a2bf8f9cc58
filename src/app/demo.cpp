// SPDX-License-Identifier: MIT
#include "app/demo.h"

#include <cstdio>

namespace qmux::app {

int demo(bool /*keep*/) {
  std::fputs("qmux: the demo is not available in this build\n", stderr);
  return 1;
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/version.h"

namespace qmux::app {

const char* version() noexcept { return QMUX_VERSION; }

}  // namespace qmux::app

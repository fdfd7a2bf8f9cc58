// SPDX-License-Identifier: MIT
#pragma once

#include "app/config/load.h"

namespace qmux::app {

/// Runs a client until SIGINT or SIGTERM. Says the warnings of `loaded` once, at start. Returns the exit status: 0 after a
/// signal, 1 when it cannot start or go on (the reason is said).
[[nodiscard]] int run_client(const Loaded<ClientConfig>& loaded);

}  // namespace qmux::app

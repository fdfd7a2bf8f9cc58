// SPDX-License-Identifier: MIT
#pragma once

#include "app/config/load.h"

namespace qmux::app {

/// Runs a client until SIGINT or SIGTERM. Logs the warnings of `loaded` at start. Returns the exit status: 0 after a signal, 1
/// when it cannot start or continue (the reason is logged).
[[nodiscard]] int run_client(const Loaded<ClientConfig>& loaded);

}  // namespace qmux::app

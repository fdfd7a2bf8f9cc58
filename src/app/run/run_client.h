// SPDX-License-Identifier: MIT
#pragma once

#include "app/config/load.h"
#include "app/run/read_again.h"

namespace qmux::app {

/// Runs a client until SIGINT or SIGTERM. Logs the warnings of `loaded` at start. Returns the exit status: 0 after a signal, 1
/// when it cannot start or continue (the reason is logged). `read` gives what it goes on with after a reload.
[[nodiscard]] int run_client(const Loaded<ClientConfig>& loaded, const ReadConfig<ClientConfig>& read);

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#pragma once

#include "app/config/load.h"
#include "app/run/read_again.h"

namespace qmux::app {

/// Runs a server until SIGINT or SIGTERM. Logs the warnings of `loaded` at start. Returns the exit status: 0 after a signal, 1
/// when it cannot start or continue (the reason is logged). `read` gives what it goes on with after a reload.
[[nodiscard]] int run_server(const Loaded<ServerConfig>& loaded, const ReadConfig<ServerConfig>& read);

}  // namespace qmux::app

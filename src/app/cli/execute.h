// SPDX-License-Identifier: MIT
//
// Runs the command of a command line.
#pragma once

#include "app/cli/command_line.h"

namespace qmux::app {

/// Returns the exit status: 0 done, 1 failed while running, 2 wrong configuration. Results go to standard output, errors to
/// standard error.
[[nodiscard]] int execute(const CommandLine& line);

}  // namespace qmux::app

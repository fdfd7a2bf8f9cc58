// SPDX-License-Identifier: MIT
//
// Does what a command line asks for.
#pragma once

#include "app/cli/command_line.h"

namespace qmux::app {

/// Returns the exit status: 0 done, 1 failed while running, 2 wrong configuration. What is asked for goes to standard
/// output, what is wrong to standard error.
[[nodiscard]] int execute(const CommandLine& line);

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// The program behind the command line.
#pragma once

namespace qmux::app {

/// Runs one command line. Returns the exit status: 0 done, 1 failed while running, 2 wrong usage or configuration.
int run(int argc, char** argv) noexcept;

}  // namespace qmux::app

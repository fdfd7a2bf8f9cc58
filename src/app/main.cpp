// SPDX-License-Identifier: MIT
#include "app/main.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "app/cli/command_line.h"
#include "app/cli/execute.h"

namespace qmux::app {

int run(int argc, char** argv) noexcept {
  constexpr int kWrongUsage = 2;
  try {
    const auto line = parse_command_line(argc, argv, std::getenv("QMUX_CONFIG"));
    if (line) return execute(*line);
    std::fputs(line.error().c_str(), stderr);
    return kWrongUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qmux: %s\n", error.what());
    return 1;
  }
}

}  // namespace qmux::app

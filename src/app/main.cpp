// SPDX-License-Identifier: MIT
#include "app/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "app/cli/command_line.h"
#include "app/cli/execute.h"

namespace qmux::app {
namespace {

/// A caller may have closed standard input, output or error; no socket is to get their numbers, and log lines with them.
void hold_standard_descriptors() noexcept {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
}

}  // namespace

int run(int argc, char** argv) noexcept {
  constexpr int kWrongUsage = 2;
  hold_standard_descriptors();
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

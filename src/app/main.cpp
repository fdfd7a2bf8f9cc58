// SPDX-License-Identifier: MIT
#include "app/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "app/cli/command_line.h"
#include "app/cli/execute.h"
#include "app/cli/output.h"

namespace qmux::app {
namespace {

/// A caller may have closed standard input, output or error; no socket is to get their numbers, and log lines with them. Not
/// for writing: what is said into a closed output must not seem to have been heard.
void hold_standard_descriptors() noexcept {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDONLY);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
}

}  // namespace

int run(int argc, char** argv) noexcept {
  constexpr int kFailed = 1;
  constexpr int kWrongUsage = 2;
  hold_standard_descriptors();
  try {
    const auto line = parse_command_line(argc, argv, std::getenv("QMUX_CONFIG"));
    if (!line) {
      complain_lines(line.error());
      return kWrongUsage;
    }
    const int status = execute(*line);
    return everything_said() || status != 0 ? status : kFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qmux: %s\n", error.what());
    return kFailed;
  }
}

}  // namespace qmux::app

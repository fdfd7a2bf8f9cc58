// SPDX-License-Identifier: MIT
#include "app/cli/main.h"

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

/// A caller may have closed standard input, output or error; no socket may get their numbers, because log lines would go into it.
/// They are opened for reading only: writing to a closed output must fail.
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

// SPDX-License-Identifier: MIT
#include "app/run_server.h"

#include <cstdio>

namespace qmux::app {

int run_server(const Loaded<ServerConfig>& loaded) {
  for (const std::string& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::fputs("qmux: the server is not available in this build\n", stderr);
  return 1;
}

}  // namespace qmux::app

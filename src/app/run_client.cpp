// SPDX-License-Identifier: MIT
#include "app/run_client.h"

#include <cstdio>

namespace qmux::app {

int run_client(const Loaded<ClientConfig>& loaded) {
  for (const std::string& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::fputs("qmux: the client is not available in this build\n", stderr);
  return 1;
}

}  // namespace qmux::app

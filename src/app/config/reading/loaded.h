// SPDX-License-Identifier: MIT
//
// The result of reading a configuration file: the configuration with what to log about it, or every error found.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/result.h"

namespace qmux::app {

template <typename T>
struct Loaded {
  T config;
  std::vector<std::string> warnings;  ///< to be logged once, at start; "server.yaml:7:5: listeners[0].udp...: ..."
  std::vector<std::string> notices;   ///< the same, for the debug level
  std::string file;                   ///< its name, for messages
};

template <typename T>
using LoadResult = std::expected<Loaded<T>, std::vector<Error>>;

}  // namespace qmux::app

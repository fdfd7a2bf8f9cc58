// SPDX-License-Identifier: MIT
//
// Configuration files, read and checked in full before anything starts. On failure every error found is given, in the
// order of the file; each names file, line, column and key, and none repeats a secret.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/client_config.h"
#include "app/config/reading/section.h"
#include "app/config/server_config.h"
#include "base/result.h"

namespace qmux::app {

template <typename T>
struct Loaded {
  T config;
  std::vector<std::string> warnings;  ///< to be said once, at start; "server.yaml:7:5: listeners[0].udp...: ..."
  std::vector<std::string> notices;   ///< the same, for the debug level
  std::string file;                   ///< its name, for messages
};

template <typename T>
using LoadResult = std::expected<Loaded<T>, std::vector<Error>>;

[[nodiscard]] LoadResult<ServerConfig> load_server_config(const std::string& path);
[[nodiscard]] LoadResult<ClientConfig> load_client_config(const std::string& path);

/// The same from a text; `file` is only a name for the messages.
[[nodiscard]] LoadResult<ServerConfig> parse_server_config(std::string_view yaml, std::string_view file);
[[nodiscard]] LoadResult<ClientConfig> parse_client_config(std::string_view yaml, std::string_view file);

/// Every key that a file may hold, with type and default: what docs/CONFIGURATION.md is checked against.
[[nodiscard]] std::vector<KeyInfo> server_keys();
[[nodiscard]] std::vector<KeyInfo> client_keys();

}  // namespace qmux::app

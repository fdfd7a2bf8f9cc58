// SPDX-License-Identifier: MIT
//
// Configuration files, read and checked in full before anything starts. On failure every error found is given, in the
// order of the file; each names file, line, column and key, and none repeats a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/client_config.h"
#include "app/config/reading/loaded.h"
#include "app/config/reading/section.h"
#include "app/config/server_config.h"

namespace qmux::app {

[[nodiscard]] LoadResult<ServerConfig> load_server_config(const std::string& path);
[[nodiscard]] LoadResult<ClientConfig> load_client_config(const std::string& path);

/// The same from a text; `file` is only a name for the messages.
[[nodiscard]] LoadResult<ServerConfig> parse_server_config(std::string_view yaml, std::string_view file);
[[nodiscard]] LoadResult<ClientConfig> parse_client_config(std::string_view yaml, std::string_view file);

/// Every key that a file may hold, with type and default: what docs/CONFIGURATION.md is checked against.
[[nodiscard]] std::vector<KeyInfo> server_keys();
[[nodiscard]] std::vector<KeyInfo> client_keys();

}  // namespace qmux::app

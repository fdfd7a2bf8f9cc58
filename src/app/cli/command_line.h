// SPDX-License-Identifier: MIT
//
// A command line as a value: the command, or what is wrong with it. Parsing runs nothing and prints nothing.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <variant>

#include "app/certs/generate.h"

namespace qmux::app {

enum class Role { server, client };

struct ShowText {
  std::string text;  ///< the help, or the version
};
/// One end of the tunnels.
struct RunEnd {
  Role role = Role::server;
  std::string config_file;
};
struct CheckConfig {
  Role role = Role::server;
  std::string config_file;
};
struct GenerateConfig {
  Role role = Role::server;
  std::string output_file;
};
struct GenerateCerts {
  CertsOptions options;
  std::optional<std::string> client;  ///< one more client certificate, and nothing else
};
struct Demo {
  bool keep = false;
};

struct CommandLine {
  std::variant<ShowText, RunEnd, CheckConfig, GenerateConfig, GenerateCerts, Demo> command;
  bool debug = false;
};

/// `config_from_environment`: $QMUX_CONFIG, or nullptr. The error is for the user, of one or more lines.
[[nodiscard]] std::expected<CommandLine, std::string> parse_command_line(int argc, const char* const* argv,
                                                                         const char* config_from_environment);

}  // namespace qmux::app

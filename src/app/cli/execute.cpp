// SPDX-License-Identifier: MIT
#include "app/cli/execute.h"

#include <ctime>

#include "app/cli/output.h"
#include "app/config/example.h"
#include "app/config/load.h"
#include "app/demo/demo.h"
#include "app/run_client.h"
#include "app/run_server.h"

namespace qmux::app {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongConfiguration = 2;

int complain_all(const std::vector<Error>& errors) {
  for (const Error& error : errors) complain(error.text());
  return kWrongConfiguration;
}

template <typename T>
int check(const LoadResult<T>& loaded, const std::string& file, bool debug) {
  if (!loaded) return complain_all(loaded.error());
  for (const std::string& warning : loaded->warnings) complain("warning: " + warning);
  if (debug) {
    for (const std::string& notice : loaded->notices) complain("debug: " + notice);
  }
  say(file + ": ok");
  return kDone;
}

/// Whoever asks for tokens must not be given something else: without them there is no telling who connects.
template <typename T>
bool refused(const T& config, const std::string& file) {
  if (config.auth.method != AuthMethod::token) return false;
  complain(file + ": auth.method: token authentication is not available yet (expected mtls)");
  return true;
}

template <typename T>
bool prepare(LoadResult<T>& loaded, const std::string& file, bool debug) {
  if (refused(loaded->config, file)) return false;
  if (debug) loaded->config.log.level = LogLevel::debug;
  return true;
}

int run_server_from(const std::string& file, bool debug) {
  auto loaded = load_server_config(file);
  if (!loaded) return complain_all(loaded.error());
  return prepare(loaded, file, debug) ? run_server(*loaded) : kFailed;
}

int run_client_from(const std::string& file, bool debug) {
  auto loaded = load_client_config(file);
  if (!loaded) return complain_all(loaded.error());
  return prepare(loaded, file, debug) ? run_client(*loaded) : kFailed;
}

int do_command(const ShowText& show, bool /*debug*/) {
  say_lines(show.text);
  return kDone;
}

int do_command(const RunEnd& run, bool debug) {
  return run.role == Role::server ? run_server_from(run.config_file, debug) : run_client_from(run.config_file, debug);
}

int do_command(const CheckConfig& wanted, bool debug) {
  const std::string& file = wanted.config_file;
  return wanted.role == Role::server ? check(load_server_config(file), file, debug)
                                     : check(load_client_config(file), file, debug);
}

int do_command(const GenerateConfig& wanted, bool /*debug*/) {
  const std::string_view example = wanted.role == Role::server ? example_server_config() : example_client_config();
  // A token may come to stand in it.
  constexpr mode_t kOwnerOnly = 0600;
  const NewFile file{wanted.output_file, example, kOwnerOnly};
  if (auto written = write_files({&file, 1}, Existing::keep); !written) {
    complain(written.error().text());
    return kFailed;
  }
  say("wrote " + wanted.output_file);
  return kDone;
}

int do_command(const GenerateCerts& wanted, bool /*debug*/) {
  const std::time_t now = std::time(nullptr);
  const auto written = wanted.client ? generate_client_certificate(wanted.options, *wanted.client, now)
                                     : generate_certificates(wanted.options, now);
  if (!written) {
    complain(written.error().text());
    return kFailed;
  }
  for (const std::string& path : *written) say("wrote " + path);
  return kDone;
}

int do_command(const Demo& wanted, bool /*debug*/) { return demo(wanted.keep); }

}  // namespace

int execute(const CommandLine& line) {
  return std::visit([&](const auto& command) { return do_command(command, line.debug); }, line.command);
}

}  // namespace qmux::app

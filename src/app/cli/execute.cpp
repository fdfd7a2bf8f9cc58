// SPDX-License-Identifier: MIT
#include "app/cli/execute.h"

#include <ctime>

#include "app/cli/output.h"
#include "app/config/example.h"
#include "app/config/load.h"
#include "app/demo/demo.h"
#include "app/run/run_client.h"
#include "app/run/run_inputs.h"
#include "app/run/run_server.h"

namespace qmux::app {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongConfiguration = 2;

void complain_all(const std::vector<Error>& errors) {
  for (const Error& error : errors) complain(error.text());
}

int wrong_configuration(const std::vector<Error>& errors) {
  complain_all(errors);
  return kWrongConfiguration;
}

template <typename T>
int check(const LoadResult<T>& loaded, bool debug) {
  if (!loaded) return wrong_configuration(loaded.error());
  for (const std::string& warning : loaded->warnings) complain("warning: " + warning);
  if (debug) {
    for (const std::string& notice : loaded->notices) complain("debug: " + notice);
  }
  const auto inputs = gather_inputs(*loaded, std::time(nullptr));
  if (!inputs) {
    complain_all(inputs.error());
    return kFailed;
  }
  if (const auto& dates = inputs->dates) {
    complain("warning: " + inputs->certificate_file + ": " + dates->event + ", " + dates->date);
  }
  say(loaded->file + ": ok");
  return kDone;
}

template <typename T>
int run_with(LoadResult<T> (&load)(const std::string&), const std::string& file, bool debug,
             int (&run)(const Loaded<T>&, const ReadConfig<T>&)) {
  const ReadConfig<T> read = [&load, file, debug] {
    LoadResult<T> loaded = load(file);
    if (loaded && debug) loaded->config.log.level = log::Level::debug;
    return loaded;
  };
  const LoadResult<T> loaded = read();
  if (!loaded) return wrong_configuration(loaded.error());
  return run(*loaded, read);
}

int do_command(const ShowText& show, bool /*debug*/) {
  say_lines(show.text);
  return kDone;
}

int do_command(const RunEnd& run, bool debug) {
  return run.role == Role::server ? run_with(load_server_config, run.config_file, debug, run_server)
                                  : run_with(load_client_config, run.config_file, debug, run_client);
}

int do_command(const CheckConfig& wanted, bool debug) {
  return wanted.role == Role::server ? check(load_server_config(wanted.config_file), debug)
                                     : check(load_client_config(wanted.config_file), debug);
}

int do_command(const GenerateConfig& wanted, bool /*debug*/) {
  const std::string_view example = wanted.role == Role::server ? example_server_config() : example_client_config();
  // The file may come to hold a token.
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

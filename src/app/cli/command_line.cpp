// SPDX-License-Identifier: MIT
#include "app/cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/reading/nearest.h"
#include "app/version.h"

namespace qmux::app {
namespace {

constexpr unsigned kYearsMax = 100;

/// Converts forms that the Go program also accepts to those that CLI11 knows: "-c=FILE" to "-c FILE", and "help COMMAND" to
/// "COMMAND --help".
std::vector<std::string> familiar(std::span<const char* const> arguments) {
  std::vector<std::string> result;
  bool help = false;
  for (const std::string_view argument : arguments) {
    if (result.empty() && !help && argument == "help") {
      help = true;
    } else if (argument.size() > 2 && argument[0] == '-' && argument[1] != '-' && argument[2] == '=') {
      result.emplace_back(argument.substr(0, 2));
      result.emplace_back(argument.substr(3));
    } else {
      result.emplace_back(argument);
    }
  }
  if (help) result.emplace_back("--help");
  return result;
}

/// An empty text would name the root directory, or nothing at all. It is what an unset variable gives.
CLI::Validator not_empty() {
  return {[](const std::string& given) { return given.empty() ? std::string("an empty name (expected a path)") : ""; },
          ""};
}

/// One name or several separated by commas, in each. By hand: CLI11 drops the empty ones, and where none is left of "," it
/// takes the argument after it for one.
std::vector<std::string> split_names(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (std::string_view rest : given) {
    for (std::size_t comma = 0; (comma = rest.find(',')) != std::string_view::npos; rest.remove_prefix(comma + 1)) {
      names.emplace_back(rest.substr(0, comma));
    }
    names.emplace_back(rest);
  }
  return names;
}

/// The commands, and the members that their options are read into.
class Commands {
 public:
  explicit Commands(std::string default_config)
      : run_config_(default_config), check_config_(std::move(default_config)) {
    app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app_.fallthrough();  // an option of a command may follow the command's commands: run server -c FILE
    app_.require_subcommand(0, 1);
    app_.add_flag("--debug", line_.debug, "Log at the debug level");
    app_.add_flag("-v,--version", show_version_, "Print the version");
    add_run();
    add_config_check();
    add_generate();
    demo_ = app_.add_subcommand("demo", "Show a tunnel at work, on this machine alone");
    demo_->add_flag("--keep", keep_, "Stay up until interrupted");
  }

  std::expected<CommandLine, std::string> parse(int argc, const char* const* argv) {
    try {
      std::vector<std::string> arguments = familiar(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
      std::ranges::reverse(arguments);  // CLI11 takes them from the back
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      line_.command = ShowText{app_.help()};
      return line_;
    } catch (const CLI::ParseError& error) {
      return std::unexpected(explain(error));
    }
    return pick();
  }

 private:
  void add_run() {
    run_ = app_.add_subcommand("run", "Run a server or a client");
    run_->require_subcommand(1);
    run_server_ = run_->add_subcommand("server", "Run a server until SIGINT or SIGTERM");
    run_client_ = run_->add_subcommand("client", "Run a client until SIGINT or SIGTERM");
    for (CLI::App* command : {run_, run_server_, run_client_}) {
      add_file(command, "-c,--config", run_config_,
               "Configuration file; its default is $QMUX_CONFIG where that is set");
    }
  }

  void add_config_check() {
    CLI::App* config = app_.add_subcommand("config", "Work with configuration files");
    config->require_subcommand(1);
    CLI::App* check =
        config->add_subcommand("check", "Read a configuration file, say what is wrong with it, start nothing");
    check->require_subcommand(1);
    check_server_ = check->add_subcommand("server", "Check a server's file");
    check_client_ = check->add_subcommand("client", "Check a client's file");
    for (CLI::App* command : {check, check_server_, check_client_}) {
      add_file(command, "-c,--config", check_config_,
               "Configuration file; its default is $QMUX_CONFIG where that is set");
    }
  }

  void add_generate() {
    CLI::App* generate = app_.add_subcommand("generate", "Generate certificates or configuration files");
    generate->require_subcommand(1);

    certs_ =
        generate->add_subcommand("certs", "Generate certificates for mutual TLS: an authority, a server, a client");
    CLI::Option* names =
        certs_
            ->add_option("-s,--server-name", certs_options_.server_names,
                         "DNS name or IP address of the server; repeatable, or several separated by commas")
            ->type_name("NAME")
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->allow_extra_args(false);
    certs_->add_option("-o,--output", certs_options_.directory, "Directory for the files")
        ->type_name("DIR")
        ->check(not_empty())
        ->capture_default_str();
    certs_->add_option("-y,--years", certs_options_.years, "Years until they expire, 1 to " + std::to_string(kYearsMax))
        ->check(CLI::Range(1U, kYearsMax).description(""))
        ->type_name("N")
        ->capture_default_str();
    certs_->add_option("--key-type", key_type_, "ecdsa (P-256), or rsa for software that asks for it")
        ->check(CLI::IsMember({"ecdsa", "rsa"}).description(""))
        ->type_name("TYPE")
        ->capture_default_str();
    certs_->add_flag("--force", force_, "Replace files that exist");
    certs_
        ->add_option("--client", client_,
                     "One more client certificate and nothing else: NAME.crt and NAME.key, from the directory's ca.crt "
                     "and ca.key")
        ->type_name("NAME")
        ->excludes(names);

    CLI::App* config = generate->add_subcommand("config", "Write a commented configuration file to begin with");
    config->require_subcommand(1);
    config_server_ = config->add_subcommand("server", "Write a server's file");
    config_client_ = config->add_subcommand("client", "Write a client's file");
    for (CLI::App* command : {config, config_server_, config_client_}) {
      add_file(command, "-c,--config,-o,--output", output_file_, "File to write; it must not exist");
    }
  }

  static void add_file(CLI::App* command, const std::string& names, std::string& into, const std::string& help) {
    command->add_option(names, into, help)->type_name("FILE")->check(not_empty())->capture_default_str();
  }

  std::expected<CommandLine, std::string> pick() {
    if (show_version_) {
      line_.command = ShowText{std::string(version()) + "\n"};
    } else if (run_server_->parsed() || run_client_->parsed()) {
      line_.command = RunEnd{role(run_server_), run_config_};
    } else if (check_server_->parsed() || check_client_->parsed()) {
      line_.command = CheckConfig{role(check_server_), check_config_};
    } else if (config_server_->parsed() || config_client_->parsed()) {
      line_.command = GenerateConfig{role(config_server_), output_file_};
    } else if (demo_->parsed()) {
      line_.command = Demo{keep_};
    } else if (certs_->parsed()) {
      return certs();
    } else {
      line_.command = ShowText{app_.help()};
    }
    return line_;
  }

  std::expected<CommandLine, std::string> certs() {
    const bool one_client = certs_->count("--client") > 0;
    if (!one_client && certs_options_.server_names.empty()) {
      return std::unexpected("qmux generate certs: --server-name is required\n" + hint(*certs_));
    }
    certs_options_.server_names = split_names(certs_options_.server_names);
    const Result<void> fit = one_client ? check_client_name(client_) : check_server_names(certs_options_.server_names);
    if (!fit) return std::unexpected("qmux generate certs: " + fit.error().text() + "\n");
    certs_options_.key_type = key_type_ == "rsa" ? KeyType::rsa : KeyType::ecdsa;
    certs_options_.existing = force_ ? Existing::replace : Existing::keep;
    line_.command = GenerateCerts{certs_options_, one_client ? std::optional(client_) : std::nullopt};
    return line_;
  }

  static Role role(const CLI::App* server) { return server->parsed() ? Role::server : Role::client; }

  /// The command that was reached before something went wrong.
  const CLI::App& reached() const {
    const CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return *at;
  }

  static std::string full_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
  }

  static std::string hint(const CLI::App& command) { return "Try: " + full_name(command) + " --help\n"; }

  std::string explain(const CLI::ParseError& error) const {
    const CLI::App& command = reached();
    std::vector<std::string_view> known;
    std::vector<std::string> names;
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(sub->get_name());
    }
    known.assign(names.begin(), names.end());
    for (const std::string& word : app_.remaining(true)) {
      if (word.starts_with('-')) return full_name(command) + ": unknown option " + word + "\n" + hint(command);
      if (known.empty()) return full_name(command) + ": unexpected argument \"" + word + "\"\n" + hint(command);
      std::string text = full_name(command) + ": unknown command \"" + word + "\"";
      if (const auto nearest = nearest_name(word, known); !nearest.empty()) {
        text += " (did you mean " + full_name(command) + " " + std::string(nearest) + "?)";
      }
      return text + "\n" + hint(command);
    }
    return full_name(command) + ": " + error.what() + "\n" + hint(command);
  }

  CLI::App app_{"A layer-4 NAT traversal tool over QUIC", "qmux"};
  CommandLine line_;
  bool show_version_ = false;

  std::string run_config_;
  CLI::App* run_ = nullptr;
  CLI::App* run_server_ = nullptr;
  CLI::App* run_client_ = nullptr;

  std::string check_config_;
  CLI::App* check_server_ = nullptr;
  CLI::App* check_client_ = nullptr;

  CertsOptions certs_options_;
  std::string key_type_ = "ecdsa";
  bool force_ = false;
  std::string client_;
  CLI::App* certs_ = nullptr;

  std::string output_file_ = "config.yaml";
  CLI::App* config_server_ = nullptr;
  CLI::App* config_client_ = nullptr;

  bool keep_ = false;
  CLI::App* demo_ = nullptr;
};

}  // namespace

std::expected<CommandLine, std::string> parse_command_line(int argc, const char* const* argv,
                                                           const char* config_from_environment) {
  const bool from_environment = config_from_environment != nullptr && *config_from_environment != '\0';
  Commands commands(from_environment ? config_from_environment : "config.yaml");
  return commands.parse(argc, argv);
}

}  // namespace qmux::app

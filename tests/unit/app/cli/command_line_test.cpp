// SPDX-License-Identifier: MIT
#include "app/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <sstream>
#include <vector>

#include "app/version.h"

namespace qmux::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Parses words separated by blanks, after "qmux".
std::expected<CommandLine, std::string> parsed(const std::string& words, const char* environment = nullptr) {
  std::vector<std::string> arguments{"qmux"};
  std::istringstream input(words);
  for (std::string word; input >> word;) arguments.push_back(word);
  std::vector<const char*> raw;
  for (const std::string& argument : arguments) raw.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(raw.size()), raw.data(), environment);
}

template <typename Command>
Command command(const std::string& words, const char* environment = nullptr) {
  const auto line = parsed(words, environment);
  EXPECT_TRUE(line.has_value()) << words << ": " << line.error();
  const Command* found = line ? std::get_if<Command>(&line->command) : nullptr;
  EXPECT_NE(found, nullptr) << words;
  return found != nullptr ? *found : Command{};
}

std::string error(const std::string& words) {
  const auto line = parsed(words);
  return line ? "none" : line.error();
}

TEST(CommandLine, prints_the_version_alone) {
  EXPECT_EQ(command<ShowText>("-v").text, std::string(version()) + "\n");
  EXPECT_EQ(command<ShowText>("--version").text, std::string(version()) + "\n");
}

TEST(CommandLine, helps_whoever_says_nothing) {
  EXPECT_THAT(command<ShowText>("").text, HasSubstr("Usage: qmux"));
  EXPECT_THAT(command<ShowText>("-h").text, HasSubstr("Usage: qmux"));
  EXPECT_THAT(command<ShowText>("run server --help").text, HasSubstr("--config"));
}

TEST(CommandLine, runs_a_server_or_a_client) {
  EXPECT_EQ(command<RunEnd>("run server").role, Role::server);
  EXPECT_EQ(command<RunEnd>("run client").role, Role::client);
}

TEST(CommandLine, takes_the_configuration_from_flag_environment_or_default) {
  EXPECT_EQ(command<RunEnd>("run server").config_file, "config.yaml");
  EXPECT_EQ(command<RunEnd>("run server", "").config_file, "config.yaml") << "an empty variable is none";
  EXPECT_EQ(command<RunEnd>("run server", "env.yaml").config_file, "env.yaml");
  EXPECT_EQ(command<CheckConfig>("config check client", "env.yaml").config_file, "env.yaml");
  for (const auto* words :
       {"run server -c x.yaml", "run server --config x.yaml", "run server --config=x.yaml", "run -c x.yaml server"}) {
    EXPECT_EQ(command<RunEnd>(words, "env.yaml").config_file, "x.yaml") << words;
  }
}

TEST(CommandLine, takes_debug_anywhere) {
  for (const auto* words : {"--debug run server", "run --debug server", "run server --debug"}) {
    EXPECT_TRUE(parsed(words).value().debug) << words;
  }
  EXPECT_FALSE(parsed("run server").value().debug);
}

TEST(CommandLine, generates_configurations_by_either_flag) {
  EXPECT_EQ(command<GenerateConfig>("generate config server").output_file, "config.yaml");
  for (const auto* words :
       {"generate config client -c x.yaml", "generate config client -o x.yaml", "generate config -c x.yaml client",
        "generate config client --output x.yaml", "generate config client --config x.yaml"}) {
    EXPECT_EQ(command<GenerateConfig>(words).output_file, "x.yaml") << words;
    EXPECT_EQ(command<GenerateConfig>(words).role, Role::client) << words;
  }
}

TEST(CommandLine, does_not_write_over_the_configuration_that_the_environment_names) {
  const auto line = parsed("generate config server", "env.yaml");
  EXPECT_EQ(std::get<GenerateConfig>(line.value().command).output_file, "config.yaml");
}

TEST(CommandLine, generates_certificates) {
  const auto wanted = command<GenerateCerts>("generate certs -s a.org,b.org --server-name 10.0.0.1");
  EXPECT_THAT(wanted.options.server_names, ElementsAre("a.org", "b.org", "10.0.0.1"));
  EXPECT_EQ(wanted.options.directory, "./certs");
  EXPECT_EQ(wanted.options.years, 10U);
  EXPECT_EQ(wanted.options.key_type, KeyType::ecdsa);
  EXPECT_EQ(wanted.options.existing, Existing::keep);
  EXPECT_FALSE(wanted.client.has_value());

  const auto other = command<GenerateCerts>("generate certs -s a.org -o x -y 5 --key-type rsa --force");
  EXPECT_EQ(other.options.directory, "x");
  EXPECT_EQ(other.options.years, 5U);
  EXPECT_EQ(other.options.key_type, KeyType::rsa);
  EXPECT_EQ(other.options.existing, Existing::replace);
}

TEST(CommandLine, generates_one_more_client) {
  EXPECT_EQ(command<GenerateCerts>("generate certs --client office -o x").client, "office");
  EXPECT_THAT(error("generate certs --client office -s a.org"), HasSubstr("excludes"));
  EXPECT_THAT(error("generate certs --client a/b"),
              StartsWith("qmux generate certs: \"a/b\" is not a valid client name"));
}

TEST(CommandLine, refuses_certificates_for_none_or_nonsense) {
  EXPECT_THAT(error("generate certs"), StartsWith("qmux generate certs: --server-name is required\n"));
  EXPECT_THAT(error("generate certs -s https://a.org"), HasSubstr("is not a server name"));
  EXPECT_THAT(error("generate certs -s a.org -y 0"), HasSubstr("--years"));
  EXPECT_THAT(error("generate certs -s a.org -y 101"), HasSubstr("--years"));
  EXPECT_THAT(error("generate certs -s a.org --key-type dsa"), HasSubstr("--key-type"));
}

TEST(CommandLine, names_an_empty_server_name) {
  for (const auto* words : {"generate certs -s , -o d2", "generate certs -o d2 -s ,", "generate certs -s a.org,",
                            "generate certs -s ,a.org", "generate certs -s a.org,,b.org", "generate certs -s="}) {
    EXPECT_EQ(error(words),
              "qmux generate certs: an empty server name (expected a DNS name in ASCII, such as example.com, or an IP "
              "address)\n")
        << words;
  }
}

TEST(CommandLine, names_the_nearest_command) {
  EXPECT_EQ(error("rum server"), "qmux: unknown command \"rum\" (did you mean qmux run?)\nTry: qmux --help\n");
  EXPECT_EQ(error("run sever"),
            "qmux run: unknown command \"sever\" (did you mean qmux run server?)\nTry: qmux run --help\n");
  EXPECT_EQ(error("gibberish"), "qmux: unknown command \"gibberish\"\nTry: qmux --help\n");
}

TEST(CommandLine, refuses_what_it_does_not_know) {
  EXPECT_EQ(error("run server --fast"), "qmux run server: unknown option --fast\nTry: qmux run server --help\n");
  EXPECT_EQ(error("run server now"), "qmux run server: unexpected argument \"now\"\nTry: qmux run server --help\n");
  EXPECT_THAT(error("run"), StartsWith("qmux run: "));
  EXPECT_THAT(error("run server -c"), StartsWith("qmux run server: "));
}

TEST(CommandLine, refuses_empty_paths) {
  const auto of = [](std::initializer_list<const char*> words) {
    std::vector<const char*> raw{"qmux"};
    raw.insert(raw.end(), words);
    const auto line = parse_command_line(static_cast<int>(raw.size()), raw.data(), nullptr);
    return line ? "none" : line.error();
  };
  EXPECT_EQ(of({"run", "server", "-c", ""}),
            "qmux run server: --config: an empty name (expected a path)\nTry: qmux run server --help\n");
  EXPECT_THAT(of({"config", "check", "client", "--config", ""}), HasSubstr("an empty name"));
  EXPECT_THAT(of({"generate", "config", "client", "-o", ""}), HasSubstr("an empty name"));
  EXPECT_THAT(of({"generate", "certs", "-s", "a", "-o", ""}), HasSubstr("an empty name"));
  EXPECT_THAT(of({"run", "server", "-c="}), HasSubstr("an empty name"));
}

TEST(CommandLine, takes_the_forms_of_the_go_program) {
  EXPECT_EQ(command<RunEnd>("run server -c=a.yaml").config_file, "a.yaml");
  EXPECT_EQ(command<RunEnd>("run server -c a.yaml -c b.yaml").config_file, "b.yaml") << "the last one counts";
  EXPECT_THAT(command<GenerateCerts>("generate certs -s=a.example -s b.example").options.server_names,
              ElementsAre("a.example", "b.example"));
  EXPECT_EQ(command<ShowText>("help run").text, command<ShowText>("run --help").text);
}

TEST(CommandLine, shows_the_demo) {
  EXPECT_FALSE(command<Demo>("demo").keep);
  EXPECT_TRUE(command<Demo>("demo --keep").keep);
}

}  // namespace
}  // namespace qmux::app

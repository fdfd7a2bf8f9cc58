// SPDX-License-Identifier: MIT
#include "app/cli/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/temporary_directory.h"

namespace qmux::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

template <typename Command>
Outcome outcome(Command command) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status = execute({.command = std::move(command)});
  std::fflush(stdout);
  std::fflush(stderr);
  return {status, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

std::string replaced(std::string text, std::string_view old, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += by.size()) {
    text.replace(at, old.size(), by);
  }
  return text;
}

constexpr std::string_view kTokenServer =
    "listeners: [{quic_addr: '127.0.0.1:0', traffic_addr: '127.0.0.1:0', protocol: tcp}]\n"
    "auth: {method: token, token: 'sixteen bytes and more'}\n"
    "tls: {server_cert_file: c, server_key_file: k}\n";

TEST(Execute, checks_what_it_generates) {
  for (const Role role : {Role::server, Role::client}) {
    const TemporaryDirectory dir;
    const std::string file = dir / "x.yaml";
    EXPECT_EQ(outcome(GenerateConfig{role, file}).status, 0);
    EXPECT_EQ(dir.mode("x.yaml"), 0600U) << "a token may come to stand in it";
    EXPECT_EQ(outcome(GenerateCerts{{.directory = dir / "certs", .server_names = {"a.org"}}, {}}).status, 0);
    dir.write("here.yaml", replaced(dir.read("x.yaml"), "./certs", dir / "certs"));
    const Outcome checked = outcome(CheckConfig{role, dir / "here.yaml"});
    EXPECT_EQ(checked.status, 0);
    EXPECT_EQ(checked.out, dir / "here.yaml" + ": ok\n");
    EXPECT_EQ(checked.err, "");
  }
}

TEST(Execute, never_overwrites_a_configuration) {
  const TemporaryDirectory dir;
  dir.write("x.yaml", "mine");
  const Outcome refused = outcome(GenerateConfig{Role::server, dir / "x.yaml"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.err, dir / "x.yaml" + ": exists already and is left as it is\n");
  EXPECT_EQ(dir.read("x.yaml"), "mine");
}

TEST(Execute, gives_status_2_for_a_wrong_configuration_with_a_line_for_each_error) {
  const TemporaryDirectory dir;
  dir.write("x.yaml", "workers: many\nload_balancer: none\n");
  for (const Outcome& wrong :
       {outcome(CheckConfig{Role::server, dir / "x.yaml"}), outcome(RunEnd{Role::server, dir / "x.yaml"})}) {
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, HasSubstr(dir / "x.yaml" + ":1:1: workers: \"many\" is not a whole number"));
    EXPECT_THAT(wrong.err, HasSubstr(dir / "x.yaml" + ":2:1: load_balancer: \"none\" is not known"));
  }
  EXPECT_EQ(outcome(RunEnd{Role::client, dir / "missing.yaml"}).status, 2);
}

TEST(Execute, checks_and_runs_with_one_status_and_one_cause) {
  const TemporaryDirectory dir;
  ASSERT_EQ(outcome(GenerateCerts{{.directory = dir.path(), .server_names = {"a.org"}}, {}}).status, 0);
  const auto both = [&](std::string_view ca, std::string_view certificate, std::string_view key,
                        std::string_view method, std::string_view cause) {
    const std::string yaml =
        "listeners: [{quic_addr: '127.0.0.1:0', traffic_addr: '127.0.0.1:0', protocol: tcp}]\n"
        "auth: {method: " +
        std::string(method) + ", token: 'sixteen bytes and more', ca_cert_file: " + dir / ca +
        "}\ntls: {server_cert_file: " + dir / certificate + ", server_key_file: " + dir / key + "}\n";
    dir.write("x.yaml", yaml);
    for (const Outcome& refused :
         {outcome(CheckConfig{Role::server, dir / "x.yaml"}), outcome(RunEnd{Role::server, dir / "x.yaml"})}) {
      EXPECT_EQ(refused.status, 1) << yaml;
      EXPECT_EQ(refused.out, "") << yaml;
      EXPECT_THAT(refused.err, HasSubstr(cause)) << yaml;
    }
  };
  both("x.crt", "server.crt", "server.key", "mtls", dir / "x.crt: cannot be read");
  both("ca.crt", "x.crt", "server.key", "mtls", dir / "x.crt: cannot be read");
  both("ca.crt", "server.crt", "x.key", "mtls", dir / "x.key: cannot be read");
  both("ca.crt", "server.crt", "ca.key", "mtls", dir / "ca.key: the private key does not belong to");
  both("ca.crt", "client.crt", "client.key", "mtls", dir / "client.crt: the certificate's extended key usage");
  both("x.yaml", "server.crt", "server.key", "mtls", dir / "x.yaml: holds no certificate");
  both("ca.crt", "server.crt", "server.key", "token",
       dir / "x.yaml: auth.method: token authentication is not available yet (expected mtls)");
}

TEST(Execute, repeats_no_token) {
  const TemporaryDirectory dir;
  dir.write("x.yaml", std::string(kTokenServer) + "nonsense: 1\n");
  for (const Outcome& any :
       {outcome(CheckConfig{Role::server, dir / "x.yaml"}), outcome(CheckConfig{Role::client, dir / "x.yaml"})}) {
    EXPECT_EQ((any.out + any.err).find("sixteen"), std::string::npos);
  }
}

TEST(Execute, shows_control_characters_and_obeys_none) {
  const TemporaryDirectory dir;
  dir.write("x.yaml", "log: {level: \"a\\e[2Jb\\nc\"}\n\"\\a\": 1\n");
  const Outcome wrong = outcome(CheckConfig{Role::server, dir / "x.yaml"});
  EXPECT_THAT(wrong.err, HasSubstr(R"(log.level: "a\u001b[2Jb\u000ac" is not known)"));
  EXPECT_THAT(wrong.err, HasSubstr(R"(:2:1: \u0007: unknown key)"));
}

TEST(Execute, says_what_it_wrote) {
  const TemporaryDirectory dir;
  const GenerateCerts wanted{{.directory = dir.path(), .server_names = {"a.org"}}, {}};
  EXPECT_THAT(outcome(wanted).out, StartsWith("wrote " + dir / "ca.crt" + "\n"));
  const Outcome again = outcome(wanted);
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.err, dir / "ca.crt" + ": exists already and is left as it is\n");
}

}  // namespace
}  // namespace qmux::app

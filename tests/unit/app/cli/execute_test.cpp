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
    const Outcome checked = outcome(CheckConfig{role, file});
    EXPECT_EQ(checked.status, 0);
    EXPECT_EQ(checked.out, file + ": ok\n");
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

TEST(Execute, never_runs_without_the_authentication_asked_for) {
  const TemporaryDirectory dir;
  dir.write("x.yaml", kTokenServer);
  const Outcome checked = outcome(CheckConfig{Role::server, dir / "x.yaml"});
  EXPECT_EQ(checked.status, 0);
  EXPECT_THAT(checked.err, HasSubstr("auth.method: token has no effect yet"));
  const Outcome refused = outcome(RunEnd{Role::server, dir / "x.yaml"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.err, dir / "x.yaml" + ": auth.method: token authentication is not available yet (expected mtls)\n");
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

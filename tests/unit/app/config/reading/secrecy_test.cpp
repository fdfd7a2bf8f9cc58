// SPDX-License-Identifier: MIT
#include "app/config/reading/secrecy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config/config_test_support.h"

namespace qmux::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr SecretKey kSecret{.map = "auth", .key = "token", .bytes_min = 16};

std::vector<std::string> errors(std::string_view yaml) { return error_lines(parse_server_config(yaml, "s.yaml")); }

TEST(Secrecy, hides_what_stands_in_auth_wherever_else_it_stands) {
  const auto document = parse_yaml("auth: {method: mtls, a: [b, {c: d}], token: hush}\ntls: {e: f}\n");
  const Secrecy secrecy(document.value().root, kSecret, {"method", "token"});
  for (const auto* hidden : {"mtls", "b", "d", "hush"}) EXPECT_TRUE(secrecy.hides(hidden)) << hidden;
  EXPECT_FALSE(secrecy.hides("f"));
  for (const auto* hidden : {"b", "c", "d", "hush"}) EXPECT_EQ(secrecy.shown_key(hidden), "") << hidden;
  for (const auto* shown : {"method", "token", "a", "e", "tls"}) EXPECT_EQ(secrecy.shown_key(shown), shown);
}

TEST(Secrecy, shows_what_is_plainly_a_key_of_auth) {
  const auto shown = [](const std::string& yaml, std::string_view key) {
    const auto document = parse_yaml(yaml);
    return Secrecy(document.value().root, kSecret, {"method", "token"}).shown_key(key);
  };
  for (const std::string key : {"ca_file", "user", "password", "token_file", "the_token", "fifteen_letters"})
    EXPECT_EQ(shown("auth: {" + key + ": x}\n", key), key);
  for (const std::string key : {"sixteen__letters", "correct_horse_battery_staple", "s3cret", "Secret", "ca-file",
                                "_hush", "a.b", "a b", "tokenhush", "tokens", "m\u00fcnchen"})
    EXPECT_EQ(shown("auth: {\"" + key + "\": x}\n", key), "") << key;
}

TEST(Secrecy, hides_words_in_auth_that_may_belong_to_the_token) {
  const auto hidden = [](std::string_view yaml) {
    const auto document = parse_yaml(yaml);
    return Secrecy(document.value().root, kSecret, {"method", "token"}).shown_key("hush").empty();
  };
  EXPECT_TRUE(hidden("auth: {token: correct,hush}\n")) << "a key without a value, for YAML";
  EXPECT_TRUE(hidden("auth: {token: correct, hush: }\n"));
  EXPECT_TRUE(hidden("auth: {token: correct, hush: ''}\n"));
  EXPECT_TRUE(hidden("auth: {token: {hush: x}}\n"));
  EXPECT_TRUE(hidden("auth: {token: [{hush: x}]}\n"));
  EXPECT_TRUE(hidden("auth: {token: hush, hush: x}\n")) << "a value as well";
  EXPECT_TRUE(hidden("auth: {hush: x}\nauth: {token: hush}\n"));
  EXPECT_TRUE(hidden("auth: [{hush: x}]\n"));
  EXPECT_FALSE(hidden("auth: {token: correct, hush: x}\n"));
}

TEST(Secrecy, hides_what_follows_the_word_token) {
  const Secrecy secrecy({}, kSecret, {"token"});
  EXPECT_TRUE(secrecy.hides("round-robin TOKEN hush"));
  EXPECT_FALSE(secrecy.hides("round-robin"));
  EXPECT_EQ(secrecy.shown_key("auth_Tokenhush"), "auth_Token...");
  EXPECT_EQ(secrecy.shown_key("secret=hush"), "secret...");
  EXPECT_EQ(secrecy.shown_key("tokens"), "token...");
}

TEST(Secrecy, sees_a_token_in_a_value_that_goes_on) {
  const Secrecy secrecy({}, kSecret, {});
  for (const auto* text : {"mtls token=hush", "mtls token:hush", "a\nauth.Token = hush"})
    EXPECT_TRUE(secrecy.takes_in_secret(text)) << text;
  for (const auto* text : {"mtls", "token=a", "token.example", "the token of a client", "/etc/a token.pem"})
    EXPECT_FALSE(secrecy.takes_in_secret(text)) << text;
}

TEST(Secrecy, has_no_error_repeat_a_misplaced_token) {
  for (const auto* yaml : {
           "auth:\n  method: token\n    token=SECRET\n",
           "auth:\n  method: token\n    SECRET\n",
           "auth:\n  method: SECRET\n",
           "auth:\n  ca_cert_file: ca.crt\n    token=SECRET\n",
           "auth:\n  ca_cert_file: \"SECRET\\0\"\n",
           "auth:\n  token:SECRET: x\n",
           "auth:\n  token:SECRET\n",
           "auth:\n  token=SECRET\n",
           "auth:\n  SECRET: x\n",
           "auth:\n  SECRET: x\n  SECRET: y\n",
           "auth:\n  token: {SECRET: SECRET}\n",
           "auth:\n  token: [SECRET]\n",
           "auth:\n  token: *SECRET\n",
           "auth:\n  token: \"\\SECRET\"\n",
           "auth:\n  token: \"\\uD800SECRET\"\n",
           "auth:\n  token: @SECRET\n",
           "auth:\n  token: 'SECRET\n",
           "auth:\n  token: a: SECRET\n",
           "auth:\n  ? [SECRET]\n  : x\n",
           "auth:\n  <<: SECRET\n",
           "auth: SECRET\n",
           "auth: [SECRET]\n",
           "authtoken=SECRET: x\n",
           "token:SECRET: x\n",
           "token=SECRET\n",
           "token: SECRET\n",
           "token: {SECRET: x}\n",
           "token:SECRET\n",
           "auth:SECRET: x\n",
           "auth.token SECRET: x\n",
           "tls:\n  token:SECRET: x\n",
           "listeners:\n  - token=SECRET: x\n  - token:SECRET\n",
           "workers: 1\n  token=SECRET\n",
           "heartbeat_interval: 1s\n  token=SECRET\n",
           "load_balancer: round-robin\n  token SECRET\n",
           "client_id: abc\n  token=SECRET\nlocal: {host: http://token=SECRET:1}\n",
           "listeners: [{quic_addr: 'http://token=SECRET:1'}]\n",
           "auth: {token: &t SECRET}\nload_balancer: *t\nlog: {level: *t, *t : x}\n",
           "base: &t SECRET\nauth: {token: *t}\nworkers: *t\n",
           "%YAML SECRET\n---\nauth: {}\n",
       }) {
    for (const auto& lines : {errors(yaml), error_lines(parse_client_config(yaml, "c.yaml"))})
      EXPECT_THAT(lines, Not(Contains(HasSubstr("SECRET")))) << yaml;
  }
}

TEST(Secrecy, leaves_errors_useful) {
  const auto expect = [](std::string_view yaml, std::string_view line) {
    EXPECT_THAT(errors(yaml), Contains(line)) << yaml;
  };
  expect("auth:\n  method: token\n    token=SECRET\n",
         "s.yaml:2:3: auth.method: includes the token's line, which is indented too far (expected mtls or token)");
  expect("auth: {method: SECRET}\n",
         "s.yaml:1:8: auth.method: is wrong; its value is not shown as it may hold a secret (expected mtls or token)");
  expect("auth:\n  token:SECRET: x\n",
         "s.yaml:2:3: auth: unknown key, not shown in full as it may hold a secret (expected \"token: ...\", with a "
         "blank after the colon)");
  expect("auth: {methd: mtls}\n", "s.yaml:1:8: auth.methd: unknown key (expected method)");
  expect("auth: {ca_file: SECRET}\n",
         "s.yaml:1:8: auth.ca_file: unknown key (expected one of ca_cert_file, method, token)");
  expect(
      "auth: {ca_file2: SECRET}\n",
      "s.yaml:1:8: auth: unknown key, not shown in full as it may hold a secret (expected one of ca_cert_file, method, "
      "token)");
  expect("auth: {workers: 1}\n", "s.yaml:1:8: auth.workers: unknown key (expected workers)");
  expect("token:SECRET: x\n",
         "s.yaml:1:1: token...: unknown key, not shown in full as it may hold a secret (expected auth.token)");
  expect("token: SECRET\n", "s.yaml:1:1: token: unknown key (expected auth.token)");
}

}  // namespace
}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/run/run_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "app/certs/generate.h"
#include "app/temporary_directory.h"

namespace qmux::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::int64_t kDay = 86'400;

ListenerConfig listener(const HostPort& quic, const HostPort& traffic) {
  ListenerConfig config;
  config.quic_addr = quic;
  config.traffic_addr = traffic;
  return config;
}

class RunInputsTest : public ::testing::Test {
 protected:
  RunInputsTest() {
    const CertsOptions options{.directory = dir_.path(), .server_names = {"a.example"}, .years = 1};
    EXPECT_TRUE(generate_certificates(options, now_).has_value());
    server_.file = "s.yaml";
    server_.config.listeners = {listener({"127.0.0.1", 0}, {"127.0.0.1", 7})};
    server_.config.auth.ca_cert_file = dir_ / "ca.crt";
    server_.config.tls.server_cert_file = dir_ / "server.crt";
    server_.config.tls.server_key_file = dir_ / "server.key";
    client_.file = "c.yaml";
    client_.config.tls = {.ca_cert_file = dir_ / "ca.crt",
                          .client_cert_file = dir_ / "client.crt",
                          .client_key_file = dir_ / "client.key"};
  }

  std::vector<std::string> server_errors() { return texts(gather_inputs(server_, now_)); }
  std::vector<std::string> client_errors() { return texts(gather_inputs(client_, now_)); }

  TemporaryDirectory dir_;
  std::time_t now_ = std::time(nullptr);
  Loaded<ServerConfig> server_;
  Loaded<ClientConfig> client_;

 private:
  static std::vector<std::string> texts(const std::expected<RunInputs, std::vector<Error>>& inputs) {
    std::vector<std::string> lines;
    if (inputs) return lines;
    for (const Error& error : inputs.error()) lines.push_back(error.text());
    return lines;
  }
};

TEST_F(RunInputsTest, are_what_the_configuration_names) {
  const auto server = gather_inputs(server_, now_);
  ASSERT_TRUE(server.has_value()) << server.error()[0].text();
  EXPECT_TRUE(server->credentials != nullptr);
  EXPECT_EQ(server->certificate_file, dir_ / "server.crt");
  EXPECT_FALSE(server->dates.has_value());
  ASSERT_EQ(server->listeners.size(), 1U);
  EXPECT_EQ(server->listeners[0].quic.text(), "127.0.0.1:0");
  EXPECT_EQ(server->listeners[0].traffic.text(), "127.0.0.1:7");
  EXPECT_THAT(client_errors(), IsEmpty());
}

TEST_F(RunInputsTest, lack_every_file_that_is_missing) {
  server_.config.auth.ca_cert_file = dir_ / "x.ca";
  server_.config.tls = {.server_cert_file = dir_ / "x.crt", .server_key_file = dir_ / "x.key"};
  EXPECT_THAT(server_errors(),
              ElementsAre(dir_ / "x.crt: cannot be read: No such file or directory (expected a PEM file)",
                          dir_ / "x.key: cannot be read: No such file or directory (expected a PEM file)",
                          dir_ / "x.ca: cannot be read: No such file or directory (expected a PEM file)"));
  client_.config.tls.client_key_file = dir_ / "x.key";
  EXPECT_THAT(client_errors(),
              ElementsAre(dir_ / "x.key: cannot be read: No such file or directory (expected a PEM file)"));
}

TEST_F(RunInputsTest, must_fit_each_other_and_their_purpose) {
  server_.config.tls.server_key_file = dir_ / "client.key";
  EXPECT_THAT(server_errors(), ElementsAre(StartsWith(dir_ / "client.key: the private key does not belong to")));
  server_.config.tls = {.server_cert_file = dir_ / "client.crt", .server_key_file = dir_ / "client.key"};
  EXPECT_THAT(server_errors(), ElementsAre(StartsWith(dir_ / "client.crt: the certificate's extended key usage")));
  client_.config.tls.client_cert_file = dir_ / "server.crt";
  client_.config.tls.client_key_file = dir_ / "server.key";
  EXPECT_THAT(client_errors(), ElementsAre(StartsWith(dir_ / "server.crt: the certificate's extended key usage")));
}

TEST_F(RunInputsTest, hold_what_their_names_say) {
  dir_.write("bad", "no PEM");
  dir_.write("empty", "");
  client_.config.tls.ca_cert_file = dir_ / "bad";
  client_.config.tls.client_cert_file = dir_ / "empty";
  EXPECT_THAT(client_errors(), ElementsAre(StartsWith(dir_ / "empty: holds no certificate"),
                                           StartsWith(dir_ / "bad: holds no certificate")));
  client_.config.tls.ca_cert_file = dir_.path();
  client_.config.tls.client_cert_file = dir_ / "client.crt";
  client_.config.tls.client_key_file = dir_ / "client.crt";
  EXPECT_THAT(client_errors(), ElementsAre(StartsWith(dir_ / "client.crt: holds no private key"),
                                           StartsWith(dir_.path() + ": cannot be read: not a regular file")));
}

TEST_F(RunInputsTest, have_a_place_for_a_secret_that_is_still_to_be_made) {
  server_.config.tls.quic_secret_file = dir_ / "secret";
  EXPECT_THAT(server_errors(), IsEmpty());
  server_.config.auth.ca_cert_file = dir_ / "x.ca";
  for (const auto& [path, cause] :
       {std::pair("nowhere/secret", "No such file or directory"), std::pair("server.key/secret", "Not a directory")}) {
    server_.config.tls.quic_secret_file = dir_ / path;
    EXPECT_THAT(server_errors(), ElementsAre((dir_ / path) + ": cannot be written: " + cause,
                                             StartsWith(dir_ / "x.ca: cannot be read")));
  }
}

TEST_F(RunInputsTest, tell_of_troubling_dates_and_are_gathered_all_the_same) {
  const auto late = gather_inputs(server_, now_ + 400 * kDay);
  ASSERT_TRUE(late.has_value()) << late.error()[0].text();
  EXPECT_EQ(late->dates.value().event, "certificate expired");
  EXPECT_EQ(gather_inputs(client_, now_ - kDay).value().dates.value().event, "certificate not valid yet");
}

TEST_F(RunInputsTest, refuse_tokens_and_go_on_to_the_other_errors) {
  server_.config.auth.method = AuthMethod::token;
  EXPECT_THAT(server_errors(),
              ElementsAre("s.yaml: auth.method: token authentication is not available yet (expected mtls)"));
  client_.config.auth.method = AuthMethod::token;
  client_.config.tls.ca_cert_file = dir_ / "x.ca";
  EXPECT_THAT(client_errors(),
              ElementsAre(HasSubstr("c.yaml: auth.method"), StartsWith(dir_ / "x.ca: cannot be read")));
}

TEST_F(RunInputsTest, have_an_address_for_each_name_of_a_listener) {
  const std::string no_name(64, 'a');  // longer than a label may be (RFC 1035 section 2.3.4): no server is asked
  server_.config.listeners[0].traffic_addr = {no_name, 7};
  server_.config.listeners.push_back(listener({no_name, 8}, {"127.0.0.1", 9}));
  EXPECT_THAT(server_errors(), ElementsAre(StartsWith("s.yaml: listeners[0].traffic_addr: cannot resolve \"aaa"),
                                           StartsWith("s.yaml: listeners[1].quic_addr: cannot resolve \"aaa")));
}

}  // namespace
}  // namespace qmux::app

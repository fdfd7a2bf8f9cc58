// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config/client_id.h"
#include "app/config/config_test_support.h"
#include "app/config/example.h"
#include "app/config/load.h"
#include "net/os_random.h"

namespace qmux::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kServer = "server: {servers: [{address: 'example.com:8443'}]}\n";
constexpr std::string_view kLocal = "local: {host: localhost, port: 3000}\n";
constexpr std::string_view kTls = "tls: {ca_cert_file: ca, client_cert_file: c, client_key_file: k}\n";

/// A right file of three lines with more at its end, from line 4 on.
std::string with(std::string_view at_end) { return std::string(kServer).append(kLocal).append(kTls).append(at_end); }

std::vector<std::string> errors(std::string_view yaml) { return error_lines(parse_client_config(yaml, "c.yaml")); }

Loaded<ClientConfig> loaded(std::string_view yaml) {
  auto result = parse_client_config(yaml, "c.yaml");
  EXPECT_THAT(error_lines(result), IsEmpty());
  return result ? std::move(*result) : Loaded<ClientConfig>{};
}

TEST(LoadClient, takes_a_short_file_and_keeps_the_defaults) {
  const auto client = loaded(with(""));
  EXPECT_THAT(client.warnings, IsEmpty());
  EXPECT_EQ(client.config.options.client_id, "");
  ASSERT_EQ(client.config.options.servers.size(), 1U);
  EXPECT_EQ(client.config.options.servers[0].address, (HostPort{"example.com", 8443}));
  EXPECT_EQ(client.config.options.servers[0].server_name, "example.com");
  EXPECT_EQ(client.config.options.local_service.address, (HostPort{"localhost", 3000}));
  EXPECT_EQ(client.config.options.transport.incoming_streams_max, 65'536U);
  EXPECT_EQ(client.config.workers, 1U);
  EXPECT_EQ(client.config.options.backoff_time_max, 30s);
  EXPECT_EQ(client.config.options.resolve_interval, 30s);
  EXPECT_EQ(client.config.options.tcp_keep_alive, 15s);
}

TEST(LoadClient, reads_every_key_of_its_own) {
  const auto client = loaded(
      "client_id: 1234\n"
      "server:\n"
      "  servers:\n"
      "    - {address: '10.0.0.1:1', server_name: qmux-server}\n"
      "    - {address: '[2001:db8::1]:2', all_addresses: true}\n"
      "  resolve_interval: 1m\n"
      "local: {host: '[::1]', port: 53}\n"
      "quic: {maxincomingstreams: 7, congestion_control: cubic}\n"
      "udp: {read_buffer_size: 1000}\n"
      "tls: {ca_cert_file: a}\n"
      "auth: {method: token, token: '0123456789abcdef'}\n"
      "heartbeat_interval: 2s\n"
      "health_timeout: 5s\n"
      "reconnect: {max_backoff: 1m}\n"
      "tcp_keepalive: 20s\n"
      "workers: 2\n"
      "log: {level: debug}\n");
  const ClientConfig& config = client.config;
  EXPECT_EQ(config.options.client_id, "1234");
  ASSERT_EQ(config.options.servers.size(), 2U);
  EXPECT_EQ(config.options.servers[0].server_name, "qmux-server");
  EXPECT_FALSE(config.options.servers[0].all_addresses);
  EXPECT_EQ(config.options.servers[1].server_name, "2001:db8::1");
  EXPECT_TRUE(config.options.servers[1].all_addresses);
  EXPECT_EQ(config.options.resolve_interval, 1min);
  EXPECT_EQ(config.options.local_service.address, (HostPort{"::1", 53}));
  EXPECT_EQ(config.options.transport.incoming_streams_max, 7U);
  EXPECT_EQ(config.options.transport.congestion_control, quic::CongestionControl::cubic);
  EXPECT_EQ(config.options.udp_options.payload_bytes_max, 1000U);
  EXPECT_EQ(config.auth.method, AuthMethod::token);
  EXPECT_EQ(config.auth.token.size_bytes(), 16U);
  EXPECT_EQ(config.options.health.heartbeat_interval, 2s);
  EXPECT_EQ(config.options.health.timeout, 5s);
  EXPECT_EQ(config.options.backoff_time_max, 1min);
  EXPECT_EQ(config.options.tcp_keep_alive, 20s);
  EXPECT_EQ(config.workers, 2U);
  EXPECT_EQ(config.log.level, log::Level::debug);
  EXPECT_THAT(client.warnings, ElementsAre("c.yaml:11:23: auth.token: has no effect yet"));
}

TEST(LoadClient, drops_servers_listed_twice) {
  const auto client = loaded(
      "server:\n"
      "  servers:\n"
      "    - address: a:1\n"
      "    - address: b:1\n"
      "    - address: a:1\n" +
      std::string(kLocal).append(kTls));
  ASSERT_EQ(client.config.options.servers.size(), 2U);
  EXPECT_EQ(client.config.options.servers[0].address.host, "a");
  EXPECT_EQ(client.config.options.servers[1].address.host, "b");
  EXPECT_THAT(client.warnings,
              ElementsAre("c.yaml:5:7: server.servers[2].address: \"a:1\" is listed already: ignored"));
}

TEST(LoadClient, wants_one_to_ten_servers) {
  const auto of = [](int count, bool alike) {
    std::string yaml = "server:\n  servers:\n";
    for (int i = 0; i < count; ++i) yaml += "    - address: a:" + std::to_string(alike ? 1 : i + 1) + "\n";
    return errors(yaml.append(kLocal).append(kTls));
  };
  EXPECT_THAT(of(10, false), IsEmpty());
  EXPECT_THAT(of(11, true), IsEmpty()) << "those left count";
  EXPECT_THAT(of(11, false), ElementsAre("c.yaml:2:3: server.servers: 11 servers (expected 1 to 10 servers)"));
  EXPECT_THAT(of(0, false), ElementsAre("c.yaml:2:3: server.servers: is required (expected 1 to 10 servers)"));
}

TEST(LoadClient, refuses_servers_that_cannot_be_reached) {
  const auto of = [](std::string_view address) {
    return errors("server: {servers: [{address: '" + std::string(address) + "'}]}\n" +
                  std::string(kLocal).append(kTls));
  };
  EXPECT_THAT(of(":8443"), ElementsAre("c.yaml:1:21: server.servers[0].address: \":8443\" has no host (expected "
                                       "host:port)"));
  EXPECT_THAT(of("a:0"), ElementsAre("c.yaml:1:21: server.servers[0].address: port 0 cannot be connected to "
                                     "(expected a port from 1 to 65535)"));
  EXPECT_THAT(of("https://a:1"), ::testing::SizeIs(1));
  EXPECT_THAT(of("*:8443"), ElementsAre("c.yaml:1:21: server.servers[0].address: \"*\" is not a host (expected up to "
                                        "253 letters, digits, \".\", \"_\" and \"-\", or an IP address)"));
}

TEST(LoadClient, says_all_that_is_missing) {
  EXPECT_THAT(errors("local:\n  port: 0\n"),
              ElementsAre("c.yaml:1:1: local.host: is required", "c.yaml:1:1: tls.ca_cert_file: is required",
                          "c.yaml:1:1: server.servers: is required (expected 1 to 10 servers)",
                          "c.yaml:1:1: tls.client_cert_file: is required with auth.method mtls",
                          "c.yaml:1:1: tls.client_key_file: is required with auth.method mtls",
                          "c.yaml:2:3: local.port: 0 is out of range (expected a whole number from 1 to 65535)"));
}

TEST(LoadClient, refuses_what_is_no_local_service) {
  const auto of = [](std::string_view local) { return errors(std::string(kServer).append(kTls).append(local)); };
  EXPECT_THAT(of("local: {host: 'localhost:80', port: 80}\n"),
              ElementsAre("c.yaml:3:9: local.host: \"localhost:80\" is not a host (expected a host name or an IP "
                          "address, without a port)"));
  EXPECT_THAT(of("local: {host: 256.1.1.1, port: 80}\n"),
              ElementsAre("c.yaml:3:9: local.host: \"256.1.1.1\" is not an IPv4 address (expected four numbers from 0 "
                          "to 255, such as 192.0.2.1)"));
  EXPECT_THAT(of("local: {host: '*', port: 80}\n"),
              ElementsAre("c.yaml:3:9: local.host: \"*\" is not a host (expected up to 253 letters, digits, \".\", "
                          "\"_\" and \"-\", or an IP address)"));
  EXPECT_THAT(of("local: {host: '[fe80::1]', port: 80}\n"),
              ElementsAre("c.yaml:3:9: local.host: \"fe80::1\" is link-local and names no interface (expected "
                          "fe80::1%INTERFACE)"));
  EXPECT_THAT(of("local: {host: a, port: 65536}\n"),
              ElementsAre("c.yaml:3:18: local.port: 65536 is out of range (expected a whole number from 1 to 65535)"));
  for (const auto* right : {"::1", "'[::1]'", "::1%lo", "127.0.0.1", "my_host", "m\u00fcnchen.example"})
    EXPECT_THAT(of("local: {host: " + std::string(right) + ", port: 80}\n"), IsEmpty()) << right;
}

TEST(LoadClient, wants_the_pair_of_certificate_and_key_only_for_mtls) {
  EXPECT_THAT(errors(std::string(kServer).append(kLocal).append("tls: {ca_cert_file: a}\n")),
              ElementsAre("c.yaml:3:1: tls.client_cert_file: is required with auth.method mtls",
                          "c.yaml:3:1: tls.client_key_file: is required with auth.method mtls"));
}

TEST(LoadClient, says_where_a_misplaced_key_belongs) {
  EXPECT_THAT(errors(with("keepaliveperiod: 1s\n")),
              ElementsAre("c.yaml:4:1: keepaliveperiod: unknown key (expected quic.keepaliveperiod)"));
}

TEST(LoadClient, bounds_the_client_id) {
  EXPECT_THAT(errors(with("client_id: " + std::string(257, 'x') + "\n")),
              ElementsAre("c.yaml:4:1: client_id: has 257 bytes (expected a text of at most 256 bytes)"));
  EXPECT_THAT(errors(with("client_id: \"a\\nb\"\n")),
              ElementsAre("c.yaml:4:1: client_id: holds control characters (expected a text of at most 256 bytes "
                          "without them)"));
}

TEST(LoadClient, takes_tcp_keepalive_in_whole_seconds_or_off) {
  const auto of = [](std::string_view value) { return with("tcp_keepalive: " + std::string(value) + "\n"); };
  EXPECT_EQ(loaded(of("")).config.options.tcp_keep_alive, 15s);
  EXPECT_EQ(loaded(of("0")).config.options.tcp_keep_alive, 0s);
  EXPECT_EQ(loaded(of("0s")).config.options.tcp_keep_alive, 0s);
  EXPECT_EQ(loaded(of("1s")).config.options.tcp_keep_alive, 1s);
  EXPECT_EQ(loaded(of("1.5m")).config.options.tcp_keep_alive, 90s);
  EXPECT_EQ(loaded(of("9h")).config.options.tcp_keep_alive, 9h);
  const std::string expected = " (expected whole seconds, 1s to 9h, or 0 for off)";
  for (const auto* wrong : {"10h", "-1s", "500ms", "1ns"}) {
    EXPECT_THAT(errors(of(wrong)),
                ElementsAre("c.yaml:4:1: tcp_keepalive: " + std::string(wrong) + " is out of range" + expected));
  }
  EXPECT_THAT(errors(of("1500ms")),
              ElementsAre("c.yaml:4:1: tcp_keepalive: 1500ms has a fraction of a second" + expected));
  EXPECT_THAT(errors(of("[15s]")), ElementsAre("c.yaml:4:1: tcp_keepalive: is a list" + expected));
  EXPECT_THAT(errors(of("15")), ElementsAre(::testing::HasSubstr("the duration \"15\" has no unit")));
}

TEST(LoadClient, loads_its_example) {
  const auto client = loaded(example_client_config());
  EXPECT_THAT(client.warnings, IsEmpty());
  EXPECT_EQ(client.config.options.servers.at(0).server_name, "qmux-server");
}

TEST(LoadClient, shows_true_defaults_in_its_example) {
  const std::string all = uncommented(example_client_config());
  EXPECT_NE(all.find("\n  maxidletimeout: 5m\n"), std::string::npos);
  const auto client = loaded(all);
  EXPECT_THAT(client.warnings, IsEmpty());
  EXPECT_THAT(client.notices, IsEmpty());
  EXPECT_EQ(client.config.options.transport.incoming_streams_max, 65'536U);
}

TEST(ClientId, is_a_random_uuid) {
  net::OsRandom random;
  const std::string id = random_client_id(random);
  EXPECT_THAT(id, ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(id, random_client_id(random));
}

}  // namespace
}  // namespace qmux::app

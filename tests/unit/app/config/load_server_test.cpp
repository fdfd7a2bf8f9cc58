// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config/config_test_support.h"
#include "app/config/example.h"
#include "app/config/load.h"
#include "wire/limits.h"

namespace qmux::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kListener =
    "listeners:\n"
    "  - quic_addr: \"0.0.0.0:8443\"\n"
    "    traffic_addr: \"0.0.0.0:8080\"\n"
    "    protocol: tcp\n";
constexpr std::string_view kRest =
    "auth: {ca_cert_file: ca.crt}\n"
    "tls: {server_cert_file: server.crt, server_key_file: server.key}\n";

/// A right file with lines added to its listener (indented by four) and at its end. The added lines begin at 5 and 7.
std::string with(std::string_view in_listener, std::string_view at_end = {}) {
  return std::string(kListener).append(in_listener).append(kRest).append(at_end);
}

std::vector<std::string> errors(std::string_view yaml) { return error_lines(parse_server_config(yaml, "s.yaml")); }

Loaded<ServerConfig> loaded(std::string_view yaml) {
  auto result = parse_server_config(yaml, "s.yaml");
  EXPECT_THAT(error_lines(result), IsEmpty());
  return result ? std::move(*result) : Loaded<ServerConfig>{};
}

TEST(LoadServer, takes_a_short_file_and_keeps_the_defaults) {
  const auto server = loaded(with(""));
  EXPECT_THAT(server.warnings, IsEmpty());
  EXPECT_THAT(server.notices, IsEmpty());
  ASSERT_EQ(server.config.listeners.size(), 1U);
  const ListenerConfig& listener = server.config.listeners[0];
  EXPECT_EQ(listener.quic_addr, (HostPort{"0.0.0.0", 8443}));
  EXPECT_EQ(listener.traffic_addr, (HostPort{"0.0.0.0", 8080}));
  EXPECT_EQ(listener.options.protocol, tunnel::VisitorProtocol::tcp);
  EXPECT_EQ(listener.options.transport.incoming_streams_max, 100U);
  EXPECT_EQ(listener.options.transport.idle_timeout, 5min);
  EXPECT_EQ(server.config.auth.method, AuthMethod::mtls);
  EXPECT_EQ(server.config.auth.ca_cert_file, "ca.crt");
  EXPECT_EQ(server.config.options.balance, tunnel::Balance::least_connections);
  EXPECT_EQ(server.config.options.tcp_keep_alive, 15s);
  EXPECT_EQ(server.config.options.health.heartbeat_interval, 10s);
  EXPECT_EQ(server.config.options.health.timeout, 30s);
  EXPECT_EQ(server.config.workers, 0U);
}

TEST(LoadServer, reads_every_key) {
  const auto server = loaded(
      "listeners:\n"
      "  - quic_addr: '[::]:1'\n"
      "    traffic_addr: ':2'\n"
      "    protocol: both\n"
      "    initialstreamreceivewindow: 1_000\n"
      "    maxstreamreceivewindow: 0x800\n"
      "    initialconnectionreceivewindow: 3000\n"
      "    maxconnectionreceivewindow: 4000\n"
      "    maxincomingstreams: 5\n"
      "    keepaliveperiod: 6s\n"
      "    handshakeidletimeout: 7s\n"
      "    maxidletimeout: 8s\n"
      "    allow0rtt: yes\n"
      "    congestion_control: cubic\n"
      "    max_udp_payload_size: 1452\n"
      "    udp:\n"
      "      enable_fragmentation: false\n"
      "      fragment_assembler_shards: 3\n"
      "      enable_buffer_pooling: off\n"
      "      read_buffer_size: 2048\n"
      "      datagram_buffer_size: 1100\n"
      "auth: {method: token, token: 0123456789abcdef}\n"
      "tls:\n"
      "  server_cert_file: s.crt\n"
      "  server_key_file: s.key\n"
      "  quic_secret_file: s.secret\n"
      "  session_ticket_encryption_key_rotation_interval: 24h\n"
      "  session_ticket_encryption_key_rotation_overlap: 3\n"
      "load_balancer: round-robin\n"
      "heartbeat_interval: 1s\n"
      "health_timeout: 1.5s\n"
      "tcp_keepalive: 1m\n"
      "workers: 4\n"
      "log: {level: warn, format: json}\n");
  const ServerConfig& config = server.config;
  ASSERT_EQ(config.listeners.size(), 1U);
  const ListenerConfig& listener = config.listeners[0];
  EXPECT_EQ(listener.quic_addr, (HostPort{"::", 1}));
  EXPECT_EQ(listener.traffic_addr, (HostPort{"", 2}));
  EXPECT_EQ(listener.options.protocol, tunnel::VisitorProtocol::both);
  EXPECT_EQ(listener.options.transport.initial_stream_window_bytes, 1000U);
  EXPECT_EQ(listener.options.transport.stream_window_bytes_max, 2048U);
  EXPECT_EQ(listener.options.transport.initial_connection_window_bytes, 3000U);
  EXPECT_EQ(listener.options.transport.connection_window_bytes_max, 4000U);
  EXPECT_EQ(listener.options.transport.incoming_streams_max, 5U);
  EXPECT_EQ(listener.options.transport.keep_alive_period, 6s);
  EXPECT_EQ(listener.options.transport.handshake_timeout, 7s);
  EXPECT_EQ(listener.options.transport.idle_timeout, 8s);
  EXPECT_TRUE(listener.options.transport.allow_0rtt);
  EXPECT_EQ(listener.options.transport.congestion_control, quic::CongestionControl::cubic);
  EXPECT_EQ(listener.options.transport.udp_payload_bytes_max, 1452U);
  EXPECT_FALSE(listener.options.udp_options.fragmentation);
  EXPECT_EQ(listener.options.udp_options.payload_bytes_max, 2048U);
  EXPECT_EQ(listener.options.udp_options.datagram_bytes_max, 1100U);
  EXPECT_EQ(config.auth.method, AuthMethod::token);
  EXPECT_EQ(as_text(config.auth.token.expose()), "0123456789abcdef");
  EXPECT_EQ(config.tls.quic_secret_file, "s.secret");
  EXPECT_EQ(config.tls.ticket_key_rotation_interval, 24h);
  EXPECT_EQ(config.tls.ticket_key_rotation_overlap, 3U);
  EXPECT_EQ(config.options.balance, tunnel::Balance::round_robin);
  EXPECT_EQ(config.options.health.heartbeat_interval, 1s);
  EXPECT_EQ(config.options.tcp_keep_alive, 1min);
  EXPECT_EQ(config.options.health.timeout, 1500ms);
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.log.level, log::Level::warn);
  EXPECT_EQ(config.log.format, log::Format::json);

  EXPECT_THAT(server.warnings,
              ElementsAre("s.yaml:13:5: listeners[0].allow0rtt: has no effect yet",
                          "s.yaml:22:23: auth.token: has no effect yet",
                          "s.yaml:27:3: tls.session_ticket_encryption_key_rotation_interval: has no effect yet",
                          "s.yaml:28:3: tls.session_ticket_encryption_key_rotation_overlap: has no effect yet"));
  EXPECT_THAT(server.notices,
              ElementsAre("s.yaml:18:7: listeners[0].udp.fragment_assembler_shards: has no effect in this program",
                          "s.yaml:19:7: listeners[0].udp.enable_buffer_pooling: has no effect in this program"));
}

TEST(LoadServer, is_silent_about_defaults_written_out) {
  const auto server =
      loaded(with("    allow0rtt: false\n    udp: {enable_fragmentation: true, datagram_buffer_size: 0}\n",
                  "heartbeat_interval: 10s\nload_balancer: least-connections\n"));
  EXPECT_THAT(server.warnings, IsEmpty());
  EXPECT_THAT(server.notices, IsEmpty());
}

TEST(LoadServer, warns_of_datagrams_too_small_for_the_payloads) {
  EXPECT_THAT(
      loaded(with("    udp: {datagram_buffer_size: 265}\n")).warnings,
      ElementsAre("s.yaml:5:11: listeners[0].udp.datagram_buffer_size: payloads of more than 65280 bytes do not fit "
                  "255 datagrams of this size: they are dropped"));
  EXPECT_THAT(loaded(with("    udp: {datagram_buffer_size: 266}\n")).warnings, IsEmpty());
  EXPECT_THAT(loaded(with("    udp: {datagram_buffer_size: 265, read_buffer_size: 65280}\n")).warnings, IsEmpty());
}

TEST(LoadServer, takes_zero_null_and_an_empty_text_for_the_default) {
  const auto server =
      loaded(with("    maxincomingstreams: 0\n    maxidletimeout: 0\n    udp:\n    keepaliveperiod: ~\n",
                  "load_balancer: \"\"\nheartbeat_interval:\nlog: ~\n"));
  EXPECT_EQ(server.config.listeners[0].options.transport.incoming_streams_max, 100U);
  EXPECT_EQ(server.config.listeners[0].options.transport.idle_timeout, 5min);
  EXPECT_EQ(server.config.listeners[0].options.transport.keep_alive_period, 0s);
  EXPECT_EQ(server.config.options.health.heartbeat_interval, 10s);
}

TEST(LoadServer, names_the_nearest_key_for_one_it_does_not_know) {
  EXPECT_THAT(errors(with("    protocl: tcp\n")),
              ElementsAre("s.yaml:5:5: listeners[0].protocl: unknown key (expected protocol)"));
  EXPECT_THAT(errors(with("    KeepAlivePeriod: 1s\n")),
              ElementsAre("s.yaml:5:5: listeners[0].KeepAlivePeriod: unknown key (expected keepaliveperiod)"));
}

TEST(LoadServer, says_where_a_misplaced_key_belongs) {
  EXPECT_THAT(errors(with("", "traffic_addr: ':1'\n")),
              ElementsAre("s.yaml:7:1: traffic_addr: unknown key (expected listeners[].traffic_addr)"));
}

TEST(LoadServer, takes_how_visitors_wait_and_are_handed_over) {
  const ServerConfig config =
      loaded(with("    wait_for_client: 300ms\n    handover: eager\n", "drain_timeout: 0\n")).config;
  EXPECT_EQ(config.listeners[0].options.wait_for_client, 300ms);
  EXPECT_EQ(config.listeners[0].options.handover, tunnel::Handover::eager);
  EXPECT_EQ(config.options.drain_timeout, Duration::zero());
  const ServerConfig defaults = loaded(with("")).config;
  EXPECT_EQ(defaults.listeners[0].options.wait_for_client, 5s);
  EXPECT_EQ(defaults.listeners[0].options.handover, tunnel::Handover::safe);
  EXPECT_EQ(defaults.options.drain_timeout, 25s);
  EXPECT_THAT(errors(with("    handover: always\n")),
              ElementsAre(::testing::StartsWith("s.yaml:5:5: listeners[0].handover: \"always\"")));
}

TEST(LoadServer, lists_the_keys_when_none_is_near) {
  EXPECT_THAT(errors(with("", "metrics: 1\n")),
              ElementsAre("s.yaml:7:1: metrics: unknown key (expected one of auth, drain_timeout, "
                          "health_timeout, heartbeat_interval, listeners, load_balancer, log, tcp_keepalive, tls, "
                          "watch_files, workers)"));
  EXPECT_THAT(errors(with("", "foo: 1\n")),
              ElementsAre(::testing::StartsWith("s.yaml:7:1: foo: unknown key (expected one of")));
  EXPECT_THAT(errors(with("", "log: {foo: 1}\n")),
              ElementsAre("s.yaml:7:7: log.foo: unknown key (expected one of format, level)"));
}

TEST(LoadServer, lists_no_keys_when_there_are_many) {
  EXPECT_THAT(errors(with("    foo: 1\n")), ElementsAre("s.yaml:5:5: listeners[0].foo: unknown key"));
}

TEST(LoadServer, refuses_a_key_given_twice) {
  EXPECT_THAT(errors(with("    protocol: udp\n")),
              ElementsAre("s.yaml:5:5: listeners[0].protocol: given twice, first on line 4 (expected one of the two)"));
}

TEST(LoadServer, refuses_values_of_the_wrong_kind) {
  EXPECT_THAT(errors(with("    maxincomingstreams: many\n")),
              ElementsAre("s.yaml:5:5: listeners[0].maxincomingstreams: \"many\" is not a whole number (expected a "
                          "whole number from 1 to 1152921504606846976)"));
  EXPECT_THAT(errors(with("    maxincomingstreams: \"5\"\n")),
              ElementsAre("s.yaml:5:5: listeners[0].maxincomingstreams: the text \"5\" is not a number (expected a "
                          "whole number from 1 to 1152921504606846976, without quotes)"));
  EXPECT_THAT(errors(with("    max_udp_payload_size: 01400\n")),
              ElementsAre("s.yaml:5:5: listeners[0].max_udp_payload_size: \"01400\" is not a whole number (expected a "
                          "whole number from 1200 to 65527)"));
  EXPECT_THAT(errors(with("    allow0rtt: maybe\n")),
              ElementsAre("s.yaml:5:5: listeners[0].allow0rtt: \"maybe\" is not a truth value (expected true or "
                          "false, without quotes)"));
  EXPECT_THAT(errors(with("    keepaliveperiod: 30\n")),
              ElementsAre("s.yaml:5:5: listeners[0].keepaliveperiod: the duration \"30\" has no unit (expected a "
                          "number with a unit, such as 300ms, 1.5h or 1h15m30s (units ns us ms s m h))"));
  EXPECT_THAT(errors(with("    keepaliveperiod: [1s]\n")),
              ElementsAre("s.yaml:5:5: listeners[0].keepaliveperiod: is a list (expected a duration from 1ms "
                          "to 8760h)"));
  EXPECT_THAT(errors(with("    udp: 5\n")),
              ElementsAre("s.yaml:5:10: listeners[0].udp: is a single value (expected a map of keys)"));
  EXPECT_THAT(errors("listeners: 5\n" + std::string(kRest)),
              ElementsAre("s.yaml:1:1: listeners: is a single value (expected a list, each item beginning "
                          "with \"- \")"));
  EXPECT_THAT(errors("- 5\n"), ElementsAre("s.yaml:1:1: is a list (expected a map of keys)",
                                           "s.yaml:1:1: listeners: is required (expected at least one listener)",
                                           "s.yaml:1:1: auth.ca_cert_file: is required with auth.method mtls"));
}

TEST(LoadServer, refuses_values_out_of_range) {
  EXPECT_THAT(errors(with("    max_udp_payload_size: 1199\n")),
              ElementsAre("s.yaml:5:5: listeners[0].max_udp_payload_size: 1199 is out of range (expected a whole "
                          "number from 1200 to 65527)"));
  EXPECT_THAT(errors(with("    maxstreamreceivewindow: 4611686018427387904\n")),
              ElementsAre("s.yaml:5:5: listeners[0].maxstreamreceivewindow: 4611686018427387904 is out of range "
                          "(expected a whole number from 1 to 4611686018427387903)"));
  EXPECT_THAT(errors(with("    maxidletimeout: -1s\n")),
              ElementsAre("s.yaml:5:5: listeners[0].maxidletimeout: -1s is out of range (expected a duration from "
                          "1ms to 8760h)"));
  EXPECT_THAT(errors(with("", "workers: 257\n")),
              ElementsAre("s.yaml:7:1: workers: 257 is out of range (expected a whole number from 0 to 256)"));
}

TEST(LoadServer, refuses_words_it_does_not_know) {
  EXPECT_THAT(errors(with("    congestion_control: BBR2\n")),
              ElementsAre("s.yaml:5:5: listeners[0].congestion_control: \"BBR2\" is not known (expected bbr or cubic; "
                          "nearest: bbr)"));
  EXPECT_THAT(errors(with("", "log: {level: loud}\n")),
              ElementsAre("s.yaml:7:7: log.level: \"loud\" is not known (expected debug, info, warn or error)"));
  EXPECT_THAT(errors("listeners: [{quic_addr: ':1', traffic_addr: ':2', protocol: http}]\n" + std::string(kRest)),
              ElementsAre("s.yaml:1:51: listeners[0].protocol: \"http\" is not known (expected tcp, udp or both)"));
}

TEST(LoadServer, refuses_what_is_no_address) {
  const auto of = [](std::string_view address) {
    return errors("listeners:\n  - quic_addr: \"" + std::string(address) +
                  "\"\n    traffic_addr: ':1'\n    protocol: tcp\n" + std::string(kRest));
  };
  EXPECT_THAT(of("8443"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"8443\" has no port (expected host:port, or "
                          "[IPv6]:port)"));
  EXPECT_THAT(of("a:99999"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"99999\" is not a port (expected a number from 0 to "
                          "65535)"));
  EXPECT_THAT(of("::1:8443"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: the IPv6 address in \"::1:8443\" needs brackets "
                          "(expected [::1]:8443)"));
  EXPECT_THAT(of("a b:1"), ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"a b\" is not a host (expected up "
                                       "to 253 letters, digits, \".\", \"_\" and \"-\", or an IP address)"));
  EXPECT_THAT(of("http://x:1"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"http://x:1\" is a URL (expected x:1)"));
  EXPECT_THAT(of("[::1]"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"[::1]\" has no port (expected [::1]:port)"));
  EXPECT_THAT(of("h:1:2"), ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"h:1:2\" has more than one \":\" "
                                       "(expected host:port, or [IPv6]:port)"));
  EXPECT_THAT(of(""), ElementsAre("s.yaml:2:5: listeners[0].quic_addr: is required"));
}

TEST(LoadServer, takes_only_names_and_addresses_for_hosts) {
  const auto of = [](std::string_view address) {
    return errors("listeners:\n  - quic_addr: \"" + std::string(address) +
                  "\"\n    traffic_addr: ':1'\n    protocol: tcp\n" + std::string(kRest));
  };
  EXPECT_THAT(of("*:8443"), ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"*\" is not a host (expected "
                                        "\":8443\": an empty host is every address)"));
  EXPECT_THAT(of("[fe80::1]:1"),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: \"fe80::1\" is link-local and names no "
                          "interface (expected [fe80::1%INTERFACE]:1)"));
  for (const auto* wrong : {"*.a.example:1", "a,b:1", "a@b:1", "a/b:1", "a%lo:1", "(a):1", "a?:1", "a\\x7f:1", "a;b:1"})
    EXPECT_THAT(of(wrong), ElementsAre(::testing::HasSubstr("is not a host (expected up to 253 letters"))) << wrong;
  EXPECT_THAT(of(std::string(254, 'a') + ":1"), ::testing::SizeIs(1));
  for (const auto* right : {":1", "localhost:1", "my-host_1.Example.:1", "192.0.2.1:1", "[2001:db8::1]:1", "[::1%lo]:1",
                            "[fe80::1%lo]:1", "m\u00fcnchen.example:1"})
    EXPECT_THAT(of(right), IsEmpty()) << right;
}

TEST(LoadServer, says_all_that_is_missing) {
  EXPECT_THAT(errors(""), ElementsAre("s.yaml:1:1: tls.server_cert_file: is required",
                                      "s.yaml:1:1: tls.server_key_file: is required",
                                      "s.yaml:1:1: listeners: is required (expected at least one listener)",
                                      "s.yaml:1:1: auth.ca_cert_file: is required with auth.method mtls"));
  EXPECT_THAT(errors("listeners:\n  - {}\n" + std::string(kRest)),
              ElementsAre("s.yaml:2:5: listeners[0].quic_addr: is required",
                          "s.yaml:2:5: listeners[0].traffic_addr: is required",
                          "s.yaml:2:5: listeners[0].protocol: is required"));
}

TEST(LoadServer, reports_all_errors_in_the_order_of_the_file) {
  EXPECT_THAT(errors(with("    nonsense_key: 1\n    keepaliveperiod: x\n", "workers: -1\nload_balancer: random\n")),
              ElementsAre(::testing::HasSubstr("s.yaml:5:5: listeners[0].nonsense_key: unknown key"),
                          ::testing::HasSubstr("s.yaml:6:5: listeners[0].keepaliveperiod: \"x\" is not a duration"),
                          ::testing::HasSubstr("s.yaml:9:1: workers: \"-1\" is not a whole number"),
                          ::testing::HasSubstr("s.yaml:10:1: load_balancer: \"random\" is not known")));
}

TEST(LoadServer, reports_the_first_20_errors_of_the_file_and_the_number_of_the_others) {
  std::string yaml = "listeners:\n";
  for (int i = 0; i < 3'000; ++i) yaml += "  - {}\n";
  const auto all = errors(yaml + "nonsense: 1\n");
  ASSERT_EQ(all.size(), 21U);
  EXPECT_THAT(all[3], ::testing::StartsWith("s.yaml:2:5: listeners[0].quic_addr: is required"));
  EXPECT_EQ(all[20], "and " + std::to_string(3 * 3'000 + 1 + 3 - 20) + " more")
      << "three keys a listener, an unknown key, and what else is missing";
}

TEST(LoadServer, wants_a_health_timeout_above_the_interval) {
  EXPECT_THAT(errors(with("", "heartbeat_interval: 30s\n")),
              ElementsAre("s.yaml:7:1: heartbeat_interval: health_timeout 30s does not exceed heartbeat_interval 30s "
                          "(expected a health_timeout of about three times heartbeat_interval)"));
  EXPECT_THAT(errors(with("", "heartbeat_interval: 2s\nhealth_timeout: 1s\n")),
              ElementsAre("s.yaml:8:1: health_timeout: health_timeout 1s does not exceed heartbeat_interval 2s "
                          "(expected a health_timeout of about three times heartbeat_interval)"));
}

TEST(LoadServer, wants_initial_windows_within_the_maximal_ones) {
  EXPECT_THAT(errors(with("    initialstreamreceivewindow: 2000\n    maxstreamreceivewindow: 1000\n")),
              ElementsAre("s.yaml:5:5: listeners[0].initialstreamreceivewindow: the initial window 2000 exceeds the "
                          "maximal one 1000 (expected initial at most maximal)"));
  EXPECT_THAT(errors(with("    maxconnectionreceivewindow: 1000\n")),
              ElementsAre("s.yaml:5:5: listeners[0].maxconnectionreceivewindow: the initial window 1048576 exceeds "
                          "the maximal one 1000 (expected initial at most maximal)"));
}

TEST(LoadServer, lets_a_large_initial_window_alone_raise_the_maximal_one) {
  const auto server = loaded(with("    initialstreamreceivewindow: 16777216\n"));
  EXPECT_EQ(server.config.listeners[0].options.transport.stream_window_bytes_max, 16'777'216U);
}

TEST(LoadServer, wants_an_address_of_its_own_for_each_listener) {
  const auto second = [](std::string_view quic, std::string_view traffic, std::string_view protocol) {
    return errors(with("  - {quic_addr: '" + std::string(quic) + "', traffic_addr: '" + std::string(traffic) +
                       "', protocol: " + std::string(protocol) + "}\n"));
  };
  EXPECT_THAT(second("0.0.0.0:8443", "0.0.0.0:8081", "tcp"),
              ElementsAre("s.yaml:5:6: listeners[1].quic_addr: \"0.0.0.0:8443\" is taken by another listener "
                          "(expected an address of its own)"));
  EXPECT_THAT(second("0.0.0.0:8444", "0.0.0.0:8080", "tcp"),
              ElementsAre("s.yaml:5:33: listeners[1].traffic_addr: \"0.0.0.0:8080\" is taken by another listener "
                          "(expected an address of its own)"));
  EXPECT_THAT(second("0.0.0.0:8444", "0.0.0.0:8443", "udp"),
              ElementsAre("s.yaml:5:33: listeners[1].traffic_addr: \"0.0.0.0:8443\" is taken by another listener "
                          "(expected an address of its own)"));
  EXPECT_THAT(second("0.0.0.0:8080", "0.0.0.0:8443", "tcp"), IsEmpty()) << "one is UDP and the other TCP";
  EXPECT_THAT(second("0.0.0.0:0", "0.0.0.0:0", "both"), IsEmpty()) << "port 0 is another port each time";
}

TEST(LoadServer, wants_a_token_of_16_bytes_and_never_repeats_it) {
  constexpr std::string_view kTls = "tls: {server_cert_file: c, server_key_file: k}\n";
  const auto of = [&](std::string_view auth) { return errors(std::string(kListener).append(auth).append(kTls)); };
  EXPECT_THAT(of("auth: {method: token}\n"), ElementsAre("s.yaml:5:1: auth.token: is required with auth.method token"));
  EXPECT_THAT(of("auth: {method: token, token: hush-hush}\n"),
              ElementsAre("s.yaml:5:23: auth.token: has 9 bytes (expected at least 16 bytes)"));
  EXPECT_THAT(of("auth: {method: token, token: {hush: hush}}\n"),
              ElementsAre("s.yaml:5:23: auth.token: is a map of keys (expected a text)"));
  EXPECT_THAT(of("auth: {method: token, token: 0123456789abcdef}\n"), IsEmpty());
}

TEST(LoadServer, reads_udp_keys_written_in_the_listener_with_a_warning) {
  const auto server = loaded(with("    read_buffer_size: 4096\n"));
  EXPECT_EQ(server.config.listeners[0].options.udp_options.payload_bytes_max, 4096U);
  EXPECT_THAT(server.warnings,
              ElementsAre("s.yaml:5:5: listeners[0].read_buffer_size: belongs in listeners[0].udp.read_buffer_size; "
                          "read as if it were there"));
}

TEST(LoadServer, takes_no_other_udp_keys_in_the_listener_than_the_old_example_shows) {
  EXPECT_THAT(
      loaded(with("    enable_fragmentation: false\n    fragment_assembler_shards: 3\n"
                  "    enable_buffer_pooling: false\n    read_buffer_size: 9\n    datagram_buffer_size: 1100\n"))
          .warnings,
      ::testing::SizeIs(5));
  EXPECT_THAT(errors(with("    session_idle_timeout: 1m\n")),
              ElementsAre("s.yaml:5:5: listeners[0].session_idle_timeout: unknown key (expected "
                          "listeners[].udp.session_idle_timeout)"));
}

TEST(LoadServer, prefers_the_udp_key_in_its_own_place) {
  const auto server = loaded(with("    read_buffer_size: 4096\n    udp: {read_buffer_size: 5000}\n"));
  EXPECT_EQ(server.config.listeners[0].options.udp_options.payload_bytes_max, 5000U);
  EXPECT_EQ(server.warnings.at(0),
            "s.yaml:5:5: listeners[0].read_buffer_size: belongs in listeners[0].udp.read_buffer_size, which is given "
            "too: ignored");
}

TEST(LoadServer, takes_a_generous_read_buffer_for_the_largest_there_is) {
  EXPECT_EQ(
      loaded(with("    udp: {read_buffer_size: 131072}\n")).config.listeners[0].options.udp_options.payload_bytes_max,
      limits::kUdpPayloadBytesMax);
}

TEST(LoadServer, warns_that_a_second_document_is_not_read) {
  EXPECT_THAT(loaded(with("") + "---\nworkers: 2\n").warnings,
              ElementsAre("s.yaml:7:1: only the first document is read"));
}

TEST(LoadServer, names_the_place_of_what_is_no_yaml) {
  EXPECT_THAT(errors("listeners: [\n"), ElementsAre("s.yaml:2:1: end of sequence flow not found"));
  EXPECT_THAT(errors("a: b: c\n"),
              ElementsAre("s.yaml:1:5: a \":\" is not allowed here (expected \"key: value\" on a line of its own, in "
                          "the column of its neighbours; quotes around a value that holds \": \")"));
  EXPECT_THAT(errors("a:\n\tb: 1\n"),
              ElementsAre("s.yaml:2:1: a tab in the indentation (expected spaces: YAML takes no tabs there)"));
}

TEST(LoadServer, loads_its_example) {
  const auto server = loaded(example_server_config());
  EXPECT_THAT(server.warnings, IsEmpty());
  EXPECT_EQ(server.config.auth.ca_cert_file, "./certs/ca.crt");
}

TEST(LoadServer, shows_true_defaults_in_its_example) {
  // With every "# key: value" line made effective nothing changes: nothing to warn of but what is written out.
  const auto server = loaded(uncommented(example_server_config()));
  EXPECT_THAT(server.warnings, IsEmpty());
  EXPECT_THAT(server.notices, IsEmpty());
}

TEST(LoadServer, says_why_a_file_cannot_be_read) {
  EXPECT_THAT(error_lines(load_server_config("/nowhere/s.yaml")),
              ElementsAre("/nowhere/s.yaml: cannot be read: No such file or directory"));
  EXPECT_THAT(error_lines(load_server_config("/")), ElementsAre("/: cannot be read: Is a directory"));
}

}  // namespace
}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/run/connection_advice.h"

#include <gtest/gtest.h>

#include <string>

namespace qmux::app {
namespace {

using quic::CertificateFault;
using quic::CloseCause;
using Kind = CloseCause::Kind;

ClientConfig client_config() {
  ClientConfig config;
  config.options.servers.push_back({.address = {.host = "tunnel.example", .port = 8443}, .server_name = "qmux-server"});
  config.tls = {.ca_cert_file = "ca.pem", .client_cert_file = "client.pem", .client_key_file = "client.key"};
  return config;
}

ServerConfig server_config() {
  ServerConfig config;
  config.auth.ca_cert_file = "clients.pem";
  config.tls.server_cert_file = "server.pem";
  return config;
}

TEST(ConnectionAdvice, of_a_client_names_its_own_keys_and_files) {
  const ClientConfig config = client_config();
  const ClientConnectionAdvice advice(config);
  const auto closed = [&](const CloseCause& cause) { return advice.closed(cause, config.options.servers[0]); };
  EXPECT_EQ(closed({.kind = Kind::certificate, .fault = CertificateFault::unknown_issuer}),
            "tls.ca_cert_file (ca.pem) must hold the CA that issued the server's certificate");
  EXPECT_EQ(closed({.kind = Kind::certificate, .fault = CertificateFault::wrong_name}),
            "server.servers[].server_name must be one of these names, or the server's tls.server_cert_file must name "
            "qmux-server");
  EXPECT_EQ(closed({.kind = Kind::own_certificate, .fault = CertificateFault::unknown_issuer}),
            "the server's auth.ca_cert_file must hold the CA that issued tls.client_cert_file (client.pem)");
  EXPECT_EQ(closed({.kind = Kind::no_answer}),
            "start the server; allow UDP port 8443 in every firewall between here and there; server.servers[].address "
            "must be the server's quic_addr");
  EXPECT_EQ(closed({.kind = Kind::port_closed}), "start the server");
  EXPECT_EQ(
      advice.unresolved(config.options.servers[0]),
      "server.servers[].address must be a host that this machine can look up, not \"tunnel.example\"; or the name "
      "server fails");
}

TEST(ConnectionAdvice, of_a_client_without_certificate_is_to_set_one) {
  ClientConfig config = client_config();
  config.tls.client_cert_file.clear();
  EXPECT_EQ(ClientConnectionAdvice(config).closed({.kind = Kind::own_certificate, .fault = CertificateFault::missing},
                                                  config.options.servers[0]),
            "set tls.client_cert_file and tls.client_key_file");
}

TEST(ConnectionAdvice, of_a_server_names_its_own_keys_and_files) {
  const ServerConfig config = server_config();
  const ServerConnectionAdvice advice(config);
  EXPECT_EQ(advice.closed({.kind = Kind::certificate, .fault = CertificateFault::unknown_issuer}),
            "auth.ca_cert_file (clients.pem) must hold the CA that issued the client's tls.client_cert_file");
  EXPECT_EQ(advice.closed({.kind = Kind::own_certificate, .fault = CertificateFault::unknown_issuer}),
            "the client's tls.ca_cert_file must hold the CA that issued tls.server_cert_file (server.pem)");
}

TEST(ConnectionAdvice, is_there_for_every_fault_of_a_certificate) {
  const ClientConfig client = client_config();
  const ServerConfig server = server_config();
  for (int fault = 1; fault <= static_cast<int>(CertificateFault::other); ++fault) {
    for (const Kind kind : {Kind::certificate, Kind::own_certificate}) {
      const CloseCause cause{.kind = kind, .fault = static_cast<CertificateFault>(fault)};
      EXPECT_FALSE(ClientConnectionAdvice(client).closed(cause, client.options.servers[0]).empty()) << fault;
      EXPECT_FALSE(ServerConnectionAdvice(server).closed(cause).empty()) << fault;
    }
  }
}

TEST(ConnectionAdvice, is_silent_about_what_no_configuration_mends) {
  const ClientConfig client = client_config();
  const ServerConfig server = server_config();
  for (const Kind kind : {Kind::local, Kind::peer_application, Kind::idle_timeout, Kind::stateless_reset}) {
    EXPECT_EQ(ClientConnectionAdvice(client).closed({.kind = kind}, client.options.servers[0]), "");
    EXPECT_EQ(ServerConnectionAdvice(server).closed({.kind = kind}), "");
  }
}

}  // namespace
}  // namespace qmux::app

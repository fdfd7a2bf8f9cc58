// SPDX-License-Identifier: MIT
//
// What `qmux run client` is told. A plain value, complete and checked when it comes from load_client_config().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config/common_config.h"

namespace qmux::app {

struct ServerEntry {
  HostPort address;         ///< resolved again at every attempt
  std::string server_name;  ///< for SNI and the certificate's check; never empty
};

struct ClientAuthConfig {
  AuthMethod method = AuthMethod::mtls;
  Secret token;  ///< set with token
};

struct ClientTlsConfig {
  std::string ca_cert_file;
  std::string client_cert_file;  ///< set with mtls
  std::string client_key_file;   ///< set with mtls
};

struct ReconnectConfig {
  Duration max_backoff = std::chrono::seconds(30);  ///< longest wait between two attempts
};

struct ClientConfig {
  std::string client_id;             ///< empty: the command line fills in a random UUID before it runs the client
  std::vector<ServerEntry> servers;  ///< 1 to 10, no two alike
  HostPort local;                    ///< the local service
  QuicConfig quic{.max_incoming_streams = 65'536};
  UdpConfig udp;
  ClientTlsConfig tls;
  ClientAuthConfig auth;
  HealthConfig health;
  ReconnectConfig reconnect;
  std::uint32_t workers = 1;  ///< event loops, at least one
  Duration tcp_keepalive = kTcpKeepAliveDefault;
  LogConfig log;
};

}  // namespace qmux::app

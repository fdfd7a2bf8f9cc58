// SPDX-License-Identifier: MIT
//
// What `qmux run server` is told. A plain value, complete and checked when it comes from load_server_config().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config/common_config.h"

namespace qmux::app {

enum class VisitorProtocol { tcp, udp, both };
enum class LoadBalancer { least_connections, round_robin };

/// One QUIC endpoint with its own traffic address and its own pool of clients.
struct ListenerConfig {
  HostPort quic_addr;     ///< UDP, for clients; an empty host is every address, port 0 any free one
  HostPort traffic_addr;  ///< for visitors; likewise
  VisitorProtocol protocol = VisitorProtocol::tcp;
  QuicConfig quic;
  UdpConfig udp;
  std::uint32_t max_visitors = 0;             ///< by TCP, at a time; 0: as many as the process has descriptors for
  std::uint32_t max_visitors_per_source = 0;  ///< of one IPv4 address or one /64 of IPv6; 0: likewise
};

struct ServerAuthConfig {
  AuthMethod method = AuthMethod::mtls;
  std::string ca_cert_file;  ///< set with mtls
  Secret token;              ///< set with token
};

struct ServerTlsConfig {
  std::string server_cert_file;
  std::string server_key_file;
  std::string quic_secret_file{};            ///< made when it is not there; empty: what it holds follows from the key
  Duration ticket_key_rotation_interval{0};  ///< 0: never
  std::uint8_t ticket_key_rotation_overlap = 2;  ///< keys kept, the current one included
};

struct ServerConfig {
  std::vector<ListenerConfig> listeners;  ///< at least one; no two share an address
  ServerAuthConfig auth;
  ServerTlsConfig tls;
  LoadBalancer load_balancer = LoadBalancer::least_connections;
  HealthConfig health;
  std::uint32_t workers = 0;  ///< event loops; 0: one per core
  Duration tcp_keepalive = kTcpKeepAliveDefault;
  LogConfig log;
};

}  // namespace qmux::app

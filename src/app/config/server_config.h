// SPDX-License-Identifier: MIT
//
// The configuration of `qmux run server`. A plain value, complete and checked when it comes from load_server_config(). What a
// layer below needs stands in that layer's own options, with its default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config/common_config.h"
#include "base/address.h"
#include "base/secret.h"
#include "base/time.h"
#include "tunnel/options.h"

namespace qmux::app {

enum class VisitorProtocol { tcp, udp, both };

/// One QUIC endpoint with its own traffic address and its own pool of clients.
struct ListenerConfig {
  HostPort quic_addr;     ///< UDP, for clients; an empty host is every address, port 0 any free one
  HostPort traffic_addr;  ///< for visitors; likewise
  VisitorProtocol protocol = VisitorProtocol::tcp;
  tunnel::ListenerOptions
      options;  ///< without the addresses and the protocols, which follow from the above when it runs
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
  tunnel::ServerOptions options;  ///< without the listeners and what is loaded when it runs
  std::uint32_t workers = 0;      ///< event loops; 0: one per core
  LogConfig log;
};

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// The configuration of `qmux run server`. A plain value; load_server_config() returns it complete and checked. Values that a
// lower layer needs are in that layer's own options, with their defaults.
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

/// One QUIC endpoint with its own traffic address and its own pool of clients.
struct ListenerConfig {
  HostPort quic_addr;               ///< UDP, for clients; an empty host is every address, port 0 any free one
  HostPort traffic_addr;            ///< for visitors; likewise
  tunnel::ListenerOptions options;  ///< without the addresses, which are looked up when it runs
};

struct ServerAuthConfig {
  AuthMethod method = AuthMethod::mtls;
  std::string ca_cert_file;  ///< set with mtls
  Secret token;              ///< set with token
};

struct ServerTlsConfig {
  std::string server_cert_file;
  std::string server_key_file;
  std::string quic_secret_file{};                ///< made when missing; empty: the secret follows from the private key
  Duration ticket_key_rotation_interval{0};      ///< 0: never
  std::uint8_t ticket_key_rotation_overlap = 2;  ///< keys kept, the current one included
};

struct ServerConfig {
  std::vector<ListenerConfig> listeners;  ///< at least one; no two share an address
  ServerAuthConfig auth;
  ServerTlsConfig tls;
  tunnel::ServerOptions options;  ///< without the listeners and what is loaded at start
  std::uint32_t workers = 0;      ///< event loops; 0: one per core
  bool watch_files = false;       ///< reload when one of the files has changed
  LogConfig log;
};

}  // namespace qmux::app

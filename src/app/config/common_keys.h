// SPDX-License-Identifier: MIT
//
// The keys that a server's and a client's file share, and the checks across them.
#pragma once

#include "app/config/common_config.h"
#include "app/config/reading/secrecy.h"
#include "app/config/reading/section.h"
#include "quic/transport_config.h"
#include "tunnel/options.h"
#include "wire/worker_routing.h"

namespace qmux::app {

/// The longest duration in a file: a year.
inline constexpr Duration kDurationMax = std::chrono::hours(8760);
inline constexpr std::uint32_t kWorkersMax = wire::kWorkersMax;
/// The secret of both files: `auth.token`.
inline constexpr std::size_t kTokenBytesMin = 16;
inline constexpr SecretKey kSecretKey{.map = "auth", .key = "token", .bytes_min = kTokenBytesMin};

void quic_keys(Section& keys, quic::TransportConfig& quic);
void udp_keys(Section& keys, tunnel::UdpOptions& udp);
void auth_method_key(Section& keys, AuthMethod& method);
void health_keys(Section& keys, tunnel::HealthOptions& health);
void log_keys(Section& keys, LogConfig& log);
void tcp_keepalive_key(Section& keys, Duration& tcp_keepalive);
void drain_timeout_key(Section& keys, Duration& drain_timeout);

/// Initial windows within the maximal ones. `path` is the map that holds the keys.
void check_windows(Report& report, const std::string& path, quic::TransportConfig& quic);
/// Warns of datagrams too small for the payloads that `udp` allows.
void check_udp(Report& report, const std::string& path, const tunnel::UdpOptions& udp);
void check_health(Report& report, const tunnel::HealthOptions& health);
/// With the method `token`: the token is there and long enough.
void check_token(Report& report, AuthMethod method, const Secret& token);

}  // namespace qmux::app

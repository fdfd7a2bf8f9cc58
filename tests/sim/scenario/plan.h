// SPDX-License-Identifier: MIT
//
// A run as drawn from its seed: who is there, over what network, who visits when, and what goes wrong. A plain value; drawing
// it draws all the chance that the scenario itself needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "quic/transport_config.h"
#include "sim/actors/ledger.h"
#include "sim/actors/udp_ledger.h"
#include "sim/world/link.h"
#include "sim/world/tcp_properties.h"
#include "tunnel/control/control_stream.h"
#include "tunnel/options.h"
#include "tunnel/server/pool.h"

namespace qmux::sim {

struct ListenerPlan {
  bool ipv6 = false;
  bool tcp = true;
  bool udp = false;
  bool all_addresses = false;  ///< bound to the wildcard; visitors go to an address that is not the host's first
  bool speaks_first = false;   ///< what the local services behind it do
  quic::TransportConfig transport;
  tunnel::UdpOptions udp_options;
};

struct ServerPlan {
  std::size_t worker_count = 1;
  bool steering = true;
  tunnel::Balance balance = tunnel::Balance::least_connections;
  std::vector<ListenerPlan> listeners;
};

struct ClientPlan {
  std::size_t server = 0;
  std::size_t listener = 0;
  std::string client_id{};      ///< several clients may have the same
  bool server_by_name = false;  ///< a name with one address that nobody listens at
  bool behind_nat = false;
  Duration nat_idle_timeout{};     ///< mappings silent for so long are forgotten; zero: never
  bool service_elsewhere = false;  ///< on another host of the client's net
  bool service_ipv6 = false;
  bool service_by_name = false;  ///< a name with one address that nobody listens at
  LinkProperties to_server;
  LinkProperties from_server;
  quic::TransportConfig transport;
  tunnel::UdpOptions udp_options;
};

/// By TCP or by UDP.
struct VisitPlan {
  std::size_t server = 0;
  std::size_t listener = 0;
  Duration at{};      ///< after all clients have registered
  bool late = false;  ///< comes when everybody is about to stop; `at` counts from shortly before that
};

enum class FaultKind : std::uint8_t {
  nat_rebinding,    ///< tunnels survive
  path_shrinks,     ///< likewise, after some round trips
  short_partition,  ///< likewise
  long_partition,
  server_crash,
  server_stop,
  client_crash,
  client_stop,
  service_down,
};

struct FaultPlan {
  FaultKind kind{};
  std::size_t target = 0;  ///< which client or server
  Duration begin{};        ///< after all clients have registered
  Duration length{};       ///< until it is back
  bool hard =
      false;  ///< of a partition: both directions; of a service: open connections are reset; of a path: for good
  std::size_t mtu_bytes = 0;  ///< of a path that shrinks: what is left

  /// Tunnels that it touches may be lost.
  [[nodiscard]] bool excuses_loss() const noexcept { return kind > FaultKind::short_partition; }
  [[nodiscard]] std::string text() const;
};

struct Plan {
  bool calm = false;  ///< a network without limits or losses, and no faults: nothing gentle is lost
  tunnel::HealthOptions health;
  std::vector<ServerPlan> servers;
  std::vector<ClientPlan> clients;
  std::vector<VisitPlan> visits;
  std::vector<FaultPlan> faults;
  Ledger ledger;  ///< one record a visit, with its scripts
  std::vector<VisitPlan> calls;
  UdpLedger udp;  ///< one record a call, with its script
  TcpProperties tcp;
  LinkProperties visitors_link;
  Duration stop_after{};  ///< from when the late visits count, until everybody is told to stop
  bool intruder = false;  ///< someone with a certificate of another authority keeps trying to be a client
  std::size_t interface_mtu_bytes = 65'535;
  double send_block_chance = 0;
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed);

}  // namespace qmux::sim

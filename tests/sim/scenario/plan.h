// SPDX-License-Identifier: MIT
//
// A run as drawn from its seed: servers, clients and their network, when each visitor comes, and which faults happen. A plain
// value. Drawing it draws all the chance that the scenario itself needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

class Deployment;
struct Plan;

struct ListenerPlan {
  bool ipv6 = false;
  tunnel::VisitorProtocol protocol = tunnel::VisitorProtocol::tcp;
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
  Duration tcp_keep_alive{};  ///< of visitors' sockets; zero: none
  Duration drain_timeout{};   ///< zero: a stop ends everything at once
};

struct ClientPlan {
  std::size_t server = 0;
  std::size_t listener = 0;
  std::string client_id{};      ///< several clients may have the same
  bool server_by_name = false;  ///< a name of which one address has no listener
  bool behind_nat = false;
  Duration nat_idle_timeout{};      ///< mappings silent for this time are dropped; zero: never
  bool service_elsewhere = false;   ///< on another host of the client's net
  std::size_t service_backlog = 0;  ///< connections that its host keeps until they are accepted; zero: many
  bool service_ipv6 = false;
  bool service_by_name = false;  ///< a name of which one address has no listener
  LinkProperties to_server;
  LinkProperties from_server;
  quic::TransportConfig transport;
  tunnel::UdpOptions udp_options;
  Duration drain_timeout{};     ///< zero: a stop ends everything at once
  Duration joins_at{};          ///< after the others have registered; zero: it is one of these
  Duration registers_within{};  ///< from then on; only of one that joins
};

/// By TCP or by UDP.
struct VisitPlan {
  std::size_t server = 0;
  std::size_t listener = 0;
  Duration at{};                 ///< after all clients have registered
  bool late = false;             ///< comes shortly before the stop; `at` counts from Plan::stop_after before it
  bool vanishes = false;         ///< its host does, at Plan::visitors_vanish_at
  Duration first_byte_within{};  ///< of the answer, from its connection on; zero: no bound
  Duration over_within{};        ///< however it ends; zero: no bound
};

enum class FaultKind : std::uint8_t {
  nat_rebinding,    ///< tunnels survive
  path_shrinks,     ///< likewise, after some round trips
  short_partition,  ///< likewise
  client_moves,     ///< likewise: its host gets other addresses
  client_reloads,   ///< likewise: its name changes, or a server comes or goes
  server_reloads,   ///< likewise: it reads its configuration again, in which a listener without clients comes or goes
  listener_goes,    ///< likewise: a reload without it; later one with it
  long_partition,
  server_crash,
  server_stop,
  client_crash,
  client_stop,
  service_down,
  service_freezes,  ///< its process gets no processor: its kernel takes connections and bytes as long as it has room
  client_freezes,   ///< likewise
  client_vanishes,  ///< its host goes dark; later it is back, and the client is started again
};

/// A process that stands still for no longer loses no tunnel: dials and acknowledgements wait longer (limits::kDialTimeout).
inline constexpr Duration kHarmlessFreezeTimeMax = std::chrono::seconds(8);

struct FaultPlan {
  FaultKind kind{};
  std::size_t target = 0;    ///< which client or server
  std::size_t listener = 0;  ///< that goes
  Duration begin{};          ///< after all clients have registered
  Duration length{};         ///< until it is back
  bool hard =
      false;  ///< of a partition: both directions; of a service: open connections are reset; of a path: for good
  std::size_t mtu_bytes = 0;  ///< of a path that shrinks: what is left

  /// Tunnels that it touches may be lost.
  [[nodiscard]] bool excuses_loss() const noexcept;
  [[nodiscard]] std::string text() const;
};

/// Hosts that send what never becomes a client.
struct StrangersPlan {
  enum class Kind : std::uint8_t {
    garbage,         ///< Initials that do not decrypt
    silent,          ///< a proper first flight, and nothing after it
    no_certificate,  ///< a handshake without a client's certificate
    foreign,         ///< with one of another authority
  };
  Kind kind{};
  std::size_t server = 0;
  std::size_t listener = 0;
  std::size_t hosts = 0;  ///< zero: there are none
  std::size_t per_second = 0;
  Duration begin{};
  Duration length{};
};

/// `begun`: from when the plan's times count.
using Promise = std::function<std::vector<std::string>(const Plan& plan, Deployment& deployment, Time begun)>;

struct Plan {
  bool calm = false;  ///< a network without limits or losses, and no faults: nothing gentle is lost
  tunnel::HealthOptions health;
  std::vector<ServerPlan> servers;
  std::vector<ClientPlan> clients;
  std::vector<VisitPlan> tcp_visits;
  std::vector<FaultPlan> faults;
  Ledger ledger;  ///< one record for each of `tcp_visits`, with its scripts
  std::vector<VisitPlan> udp_visits;
  UdpLedger udp;  ///< one record for each of `udp_visits`, with its script
  TcpProperties tcp;
  LinkProperties visitors_link;
  Duration stop_after{};  ///< from when the late visits count, until all processes begin to stop
  bool intruder = false;  ///< a client with a certificate of another authority keeps trying to register
  std::size_t interface_mtu_bytes = 65'535;
  double send_block_chance = 0;

  std::string scenario;  ///< its name; empty: none
  /// What must hold of the run besides, once the visits are over: one line for each violation.
  std::vector<Promise> promises;
  StrangersPlan strangers;
  Duration visitors_vanish_at{};  ///< zero: never
};

/// As drawn from the seed. `scenario`: this one instead of what the seed draws (scenarios.h); empty: what it draws.
[[nodiscard]] Plan draw_plan(std::uint64_t seed, std::string_view scenario = {});

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// A plan built: the hosts, NAT boxes and links, the servers and clients on them, the local services, and the visitors' host.
//
// One thread. The world and the plan outlive it.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "sim/actors/crowd.h"
#include "sim/actors/local_service.h"
#include "sim/actors/udp_caller.h"
#include "sim/actors/udp_service.h"
#include "sim/scenario/plan.h"
#include "sim/scenario/processes.h"
#include "sim/scenario/run.h"
#include "sim/world/world.h"

namespace qmux::sim {

/// A client, its NAT box, its local service, and the links between it and its server.
struct ClientSite {
  std::unique_ptr<SimLoop> service_loop;
  std::unique_ptr<LocalService> service;
  std::unique_ptr<UdpService> udp_service;
  std::unique_ptr<ClientProcess> client;
  Nat* nat = nullptr;
  Site* outside = nullptr;  ///< where the site meets the network
  Host* server_host = nullptr;
  bool away = false;  ///< its client has not been started yet
};

class Deployment {
 public:
  Deployment(World& world, Plan& plan, const RunCredentials& credentials);

  /// Without the clients that join later.
  void start();
  void join(std::size_t client);
  /// The host of the visitors that vanish goes dark, and they are gone with it.
  void visitors_vanish();
  void begin_tcp_visit(std::size_t index);
  void begin_udp_visit(std::size_t index);

  /// Every client is registered and knows it, and the servers' pools hold no other member.
  [[nodiscard]] bool all_registered() const;
  /// By TCP and UDP, without the late ones.
  [[nodiscard]] bool all_visits_over() const;

  /// No visitor that has come is still connected, and no local service has a connection.
  [[nodiscard]] bool all_talks_over() const;
  [[nodiscard]] bool any_service_awaited() const;

  /// Visitors by UDP send probes from now on, until a local service has received one ...
  void send_probes();
  /// ... which all have achieved.
  [[nodiscard]] bool all_probes_answered() const;

  /// All processes begin an orderly stop ...
  void stop();
  /// ... and have completed it.
  [[nodiscard]] bool stopped() const;
  /// All processes of the program are gone; visitors and local services are not.
  void end();
  /// Tunnels that the programs have cut or evicted, since the beginning of the run.
  [[nodiscard]] std::uint64_t cut_count() const;
  [[nodiscard]] std::vector<std::unique_ptr<ServerProcess>>& servers() noexcept { return servers_; }
  [[nodiscard]] std::vector<ClientSite>& client_sites() noexcept { return client_sites_; }
  /// nullptr: the plan has none.
  [[nodiscard]] ClientProcess* intruder() noexcept { return intruder_.get(); }

 private:
  void add_intruder(const std::shared_ptr<const quic::Credentials>& credentials);
  ClientSite make_client_site(const ClientPlan& plan, std::size_t index,
                              const std::shared_ptr<const quic::Credentials>& credentials);

  World& world_;
  Plan& plan_;
  std::vector<std::unique_ptr<ServerProcess>> servers_;
  std::vector<ClientSite> client_sites_;
  std::unique_ptr<ClientProcess> intruder_;
  SimLoop visitors_loop_;
  Crowd crowd_;
  std::unique_ptr<SimLoop> vanishing_loop_;  ///< on a host of its own; nullptr: no visitor vanishes
  std::unique_ptr<Crowd> vanishing_crowd_;
  std::vector<std::unique_ptr<SimLoop>> callers_loops_;  ///< a host each
  std::list<UdpCaller> callers_;
};

}  // namespace qmux::sim

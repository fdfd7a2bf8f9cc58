// SPDX-License-Identifier: MIT
//
// The program's processes on virtual hosts: made, stopped, crashed and started anew. A process is its event loops and the
// real tunnel::Server or tunnel::Client on them.
//
// One thread. Destroying a process is a crash: it sends nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/scenario/plan.h"
#include "sim/world/host.h"
#include "sim/world/loop.h"
#include "tunnel/client/client.h"
#include "tunnel/server/server.h"

namespace qmux::sim {

class ServerProcess {
 public:
  ServerProcess(Host& host, const ServerPlan& plan, const tunnel::HealthOptions& health,
                const std::shared_ptr<const quic::Credentials>& credentials);

  void start();
  void stop() { server_->stop(); }
  void crash();
  /// Goes on with options read anew, in which a listener that no client knows comes or goes. Of one that runs.
  void reload();
  /// Likewise without this listener; with it again.
  void remove(std::size_t listener);
  void put_back(std::size_t listener);
  [[nodiscard]] bool running() const noexcept { return server_ != nullptr; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

  [[nodiscard]] Host& host() noexcept { return host_; }
  [[nodiscard]] Address quic_address(std::size_t listener) const { return address(listener, 4433); }
  /// Where visitors find it.
  [[nodiscard]] Address traffic_address(std::size_t listener) const;
  [[nodiscard]] std::size_t listener_count() const noexcept { return plan_.listeners.size(); }
  /// nullptr: it has been removed.
  [[nodiscard]] const tunnel::Pool* pool(std::size_t listener) const;
  [[nodiscard]] std::size_t udp_route_count(std::size_t worker, std::size_t listener) const;
  [[nodiscard]] const tunnel::Server& server() const noexcept { return *server_; }
  [[nodiscard]] tunnel::Counters counters() const;
  /// Tunnels cut or evicted since the beginning of the run, whatever crashed meanwhile.
  [[nodiscard]] std::uint64_t cut_count() const;

 private:
  [[nodiscard]] Address address(std::size_t listener, std::uint16_t first_port) const;
  [[nodiscard]] tunnel::ServerOptions options() const;
  void apply_options();

  Host& host_;
  const ServerPlan& plan_;
  const tunnel::HealthOptions health_;
  const std::shared_ptr<const quic::Credentials> credentials_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::unique_ptr<tunnel::Server> server_;
  std::uint64_t cut_before_ = 0;   ///< by those that have crashed
  std::set<std::size_t> removed_;  ///< listeners
  bool has_extra_listener_ = false;
  bool stopped_ = false;
};

class ClientProcess {
 public:
  ClientProcess(Host& host, const ClientPlan& plan, const tunnel::HealthOptions& health, const HostPort& server,
                const HostPort& local_service, const std::shared_ptr<const quic::Credentials>& credentials);

  void start();
  void stop() { client_->stop(); }
  void crash();
  /// Goes on with options read anew: in turn under another name, with a server that does not exist besides, and without it. Of
  /// one that runs.
  void reload();
  /// It gets no processor. Only of one that runs, and is not crashed meanwhile.
  void set_frozen(bool frozen) { loop_->set_frozen(frozen); }
  [[nodiscard]] bool running() const noexcept { return client_ != nullptr; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool registered() const;

  [[nodiscard]] Host& host() noexcept { return host_; }
  [[nodiscard]] const ClientPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] const tunnel::WorkerState& state() const { return client_->worker(0).state(); }
  /// Likewise.
  [[nodiscard]] std::uint64_t cut_count() const;

 private:
  Host& host_;
  const ClientPlan& plan_;
  const tunnel::HealthOptions health_;
  const HostPort server_;
  const HostPort local_service_;
  const std::shared_ptr<const quic::Credentials> credentials_;
  [[nodiscard]] tunnel::ClientOptions options() const;

  std::unique_ptr<SimLoop> loop_;
  std::unique_ptr<tunnel::Client> client_;
  unsigned reloads_ = 0;
  std::uint64_t cut_before_ = 0;
  bool stopped_ = false;
};

}  // namespace qmux::sim

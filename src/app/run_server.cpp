// SPDX-License-Identifier: MIT
#include "app/run_server.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "app/certificate_dates.h"
#include "app/logging.h"
#include "app/transport.h"
#include "app/worker_loops.h"
#include "base/log.h"
#include "net/port_reservation.h"
#include "net/process.h"
#include "net/resolver.h"
#include "quic/credentials.h"
#include "tunnel/server.h"

namespace qmux::app {
namespace {

Result<Address> look_up(const HostPort& where) {
  auto addresses = net::look_up_now(where);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  if (addresses->empty()) return fail("the name has no addresses", where.text());
  return addresses->front();
}

/// The address with the port that it really is, which is held for us alone.
Result<Address> reserve(net::Transport transport, const Address& where, std::vector<net::PortReservation>& held) {
  auto reservation = net::PortReservation::take(transport, where);
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  held.push_back(std::move(*reservation));
  return held.back().address();
}

/// The address for visitors, whose port is one number in all their protocols.
Result<Address> reserve_traffic(const ListenerConfig& listener, std::vector<net::PortReservation>& held) {
  auto where = look_up(listener.traffic_addr);
  if (!where) return where;
  if (listener.protocol == VisitorProtocol::tcp) return reserve(net::Transport::tcp, *where, held);
  if (listener.protocol == VisitorProtocol::udp) return reserve(net::Transport::udp, *where, held);
  // Where any port would do, the one that is free for TCP may be in use for UDP.
  constexpr int kAttempts = 16;
  Result<Address> reserved;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    reserved = reserve(net::Transport::tcp, *where, held);
    if (!reserved) return reserved;
    reserved = reserve(net::Transport::udp, *reserved, held);
    if (reserved || where->port() != 0) return reserved;
    held.pop_back();
  }
  return reserved;
}

Result<tunnel::ServerOptions> to_options(const ServerConfig& config, const quic::Credentials& credentials,
                                         std::vector<net::PortReservation>& held) {
  tunnel::ServerOptions options{.listeners = {},
                                .credentials = &credentials,
                                .balance = config.load_balancer == LoadBalancer::round_robin
                                               ? tunnel::Balance::round_robin
                                               : tunnel::Balance::least_connections,
                                .health = to_health(config.health),
                                .tcp_keep_alive = config.tcp_keepalive};
  for (const ListenerConfig& listener : config.listeners) {
    auto quic = look_up(listener.quic_addr);
    if (quic) quic = reserve(net::Transport::udp, *quic, held);
    if (!quic) return std::unexpected(std::move(quic.error()));
    auto traffic = reserve_traffic(listener, held);
    if (!traffic) return std::unexpected(std::move(traffic.error()));
    options.listeners.push_back({.quic_address = *quic,
                                 .traffic_address = *traffic,
                                 .tcp = listener.protocol != VisitorProtocol::udp,
                                 .udp = listener.protocol != VisitorProtocol::tcp,
                                 .udp_options = to_udp(listener.udp),
                                 .transport = to_transport(listener.quic)});
  }
  return options;
}

Result<void> serve(const ServerConfig& config) {
  auto credentials = quic::Credentials::load({.certificate = config.tls.server_cert_file,
                                              .key = config.tls.server_key_file,
                                              .trust = config.auth.ca_cert_file},
                                             quic::Credentials::Purpose::server);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  std::vector<net::PortReservation> held;
  auto options = to_options(config, **credentials, held);
  if (!options) return std::unexpected(std::move(options.error()));
  const std::size_t workers = config.workers != 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
  auto loops = WorkerLoops::make(workers);
  if (!loops) return std::unexpected(std::move(loops.error()));
  warn_of_dates(**credentials, config.tls.server_cert_file, loops->interfaces().front()->unix_seconds());

  tunnel::Server server(std::move(*options), loops->interfaces(), [&] { loops->stop(); });
  if (auto started = server.start(); !started) return started;
  return loops->run([&] { server.stop(); });
}

}  // namespace

int run_server(const Loaded<ServerConfig>& loaded) {
  net::take_over_signals();
  net::raise_descriptor_limit();
  configure_log(loaded.config.log);
  log_remarks(loaded.warnings, loaded.notices);
  if (auto served = serve(loaded.config); !served) {
    log::error("the server cannot run", {{"cause", served.error().text()}});
    return 1;
  }
  log::info("stopped");
  return 0;
}

}  // namespace qmux::app

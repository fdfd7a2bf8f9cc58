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

/// The address to listen on, with its port held for us alone.
Result<Address> reserve(net::Transport transport, const HostPort& where, std::vector<net::PortReservation>& held) {
  auto addresses = net::look_up_now(where);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  if (addresses->empty()) return fail("the name has no addresses", where.text());
  auto reservation = net::PortReservation::take(transport, addresses->front());
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  held.push_back(std::move(*reservation));
  return held.back().address();
}

Result<tunnel::ServerOptions> to_options(const ServerConfig& config, const quic::Credentials& credentials,
                                         std::vector<net::PortReservation>& held) {
  tunnel::ServerOptions options{.listeners = {},
                                .credentials = &credentials,
                                .balance = config.load_balancer == LoadBalancer::round_robin
                                               ? tunnel::Balance::round_robin
                                               : tunnel::Balance::least_connections,
                                .health = to_health(config.health)};
  for (const ListenerConfig& listener : config.listeners) {
    const bool tcp = listener.protocol != VisitorProtocol::udp;
    auto quic = reserve(net::Transport::udp, listener.quic_addr, held);
    if (!quic) return std::unexpected(std::move(quic.error()));
    Result<Address> traffic = Address();
    if (tcp) traffic = reserve(net::Transport::tcp, listener.traffic_addr, held);
    if (!traffic) return std::unexpected(std::move(traffic.error()));
    options.listeners.push_back(
        {.quic_address = *quic, .traffic_address = *traffic, .tcp = tcp, .transport = to_transport(listener.quic)});
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

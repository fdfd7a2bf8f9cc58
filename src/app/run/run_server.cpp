// SPDX-License-Identifier: MIT
#include "app/run/run_server.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "app/run/connection_advice.h"
#include "app/run/logging.h"
#include "app/run/run_inputs.h"
#include "app/run/secret_file.h"
#include "app/run/worker_loops.h"
#include "base/log.h"
#include "net/os_random.h"
#include "net/port_reservation.h"
#include "net/process.h"
#include "tunnel/server/server.h"

namespace qmux::app {
namespace {

/// The address with its actual port, which is reserved for this process.
Result<Address> reserve(net::Transport transport, const Address& where, std::vector<net::PortReservation>& held) {
  auto reservation = net::PortReservation::take(transport, where);
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  held.push_back(std::move(*reservation));
  return held.back().address();
}

/// The address for visitors, whose port is one number in all their protocols.
Result<Address> reserve_traffic(tunnel::VisitorProtocol protocol, const Address& where,
                                std::vector<net::PortReservation>& held) {
  if (protocol == tunnel::VisitorProtocol::tcp) return reserve(net::Transport::tcp, where, held);
  if (protocol == tunnel::VisitorProtocol::udp) return reserve(net::Transport::udp, where, held);
  // With port 0, a port that is free for TCP may be in use for UDP.
  constexpr int kAttempts = 16;
  Result<Address> reserved;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    reserved = reserve(net::Transport::tcp, where, held);
    if (!reserved) return reserved;
    reserved = reserve(net::Transport::udp, *reserved, held);
    if (reserved || where.port() != 0) return reserved;
    held.pop_back();
  }
  return reserved;
}

Result<tunnel::ServerOptions> to_options(const ServerConfig& config, const RunInputs& inputs,
                                         std::vector<net::PortReservation>& held) {
  tunnel::ServerOptions options = config.options;
  options.credentials = inputs.credentials;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerConfig& listener = config.listeners[i];
    auto quic = reserve(net::Transport::udp, inputs.listeners[i].quic, held);
    if (!quic) return std::unexpected(std::move(quic.error()));
    auto traffic = reserve_traffic(listener.options.protocol, inputs.listeners[i].traffic, held);
    if (!traffic) return std::unexpected(std::move(traffic.error()));
    tunnel::ListenerOptions& added = options.listeners.emplace_back(listener.options);
    added.quic_address = *quic;
    added.traffic_address = *traffic;
  }
  return options;
}

/// How many visitors by TCP there are descriptors for, besides those that the process itself needs.
std::size_t visitors_max(std::size_t descriptors, std::size_t workers, std::size_t listeners) {
  if (descriptors == 0) return std::numeric_limits<std::size_t>::max();  // not known
  const std::size_t own = 32 + workers * (8 + 4 * listeners);
  return std::max(descriptors - std::min(own, descriptors), descriptors / 2);
}

/// The one input that is made when it is missing.
Result<void> make_secret(const ServerConfig& config) {
  if (config.tls.quic_secret_file.empty()) return {};
  net::OsRandom random;
  return make_secret_file(config.tls.quic_secret_file, random);
}

Result<void> serve(const ServerConfig& config, const RunInputs& inputs, std::size_t descriptors) {
  std::vector<net::PortReservation> held;
  auto options = to_options(config, inputs, held);
  if (!options) return std::unexpected(std::move(options.error()));
  const ServerConnectionAdvice advice(config);
  options->advice = &advice;
  const std::size_t workers = config.workers != 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
  options->visitors_max = visitors_max(descriptors, workers, config.listeners.size());
  auto loops = WorkerLoops::make(workers);
  if (!loops) return std::unexpected(std::move(loops.error()));
  log_dates(inputs);

  tunnel::Server server(std::move(*options), loops->interfaces(), [&] { loops->stop(); });
  if (auto started = server.start(); !started) return started;
  return loops->run([&] { server.stop(); });
}

}  // namespace

int run_server(const Loaded<ServerConfig>& loaded) {
  net::take_over_signals();
  const std::size_t descriptors = net::raise_descriptor_limit();
  configure_log(loaded.config.log);
  log_remarks(loaded.warnings, loaded.notices);
  const auto made = make_secret(loaded.config);
  const auto inputs = gather_inputs(loaded, std::time(nullptr));
  if (!inputs) return cannot_run("server", inputs.error());  // also reports why the secret could not be made
  if (!made) return cannot_run("server", {made.error()});
  if (auto served = serve(loaded.config, *inputs, descriptors); !served) {
    return cannot_run("server", {served.error()});
  }
  log::info("stopped");
  log::flush();
  return 0;
}

}  // namespace qmux::app

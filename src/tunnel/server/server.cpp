// SPDX-License-Identifier: MIT
#include "tunnel/server/server.h"

#include <utility>

#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

const char* protocol_of(const ListenerOptions& listener) {
  switch (listener.protocol) {
    case VisitorProtocol::tcp:
      return "tcp";
    case VisitorProtocol::udp:
      return "udp";
    case VisitorProtocol::both:
      return "both";
  }
  return "";
}

std::vector<VisitorLimits> limits_of(const std::vector<ListenerOptions>& listeners) {
  std::vector<VisitorLimits> limits;
  limits.reserve(listeners.size());
  for (const ListenerOptions& listener : listeners) limits.push_back(listener.visitors);
  return limits;
}

}  // namespace

Server::Server(ServerOptions options, const std::vector<io::EventLoop*>& loops, std::move_only_function<void()> stopped)
    : options_(std::move(options)),
      admission_(options_.visitors_max, limits_of(options_.listeners), loops[0]->random().next_u64()),
      parcels_(limits::kUdpParcelsMax),
      stuck_tunnels_(limits::kStuckTunnelsBytesMax, loops.size()),
      stopped_(std::move(stopped)),
      running_(loops.size()) {
  for (const ListenerOptions& listener : options_.listeners) {
    pools_.push_back(std::make_unique<Pool>(options_.balance));
    setups_.push_back({.index = setups_.size(),
                       .options = &listener,
                       .server = &options_,
                       .pool = pools_.back().get(),
                       .admission = &admission_,
                       .parcels = &parcels_});
  }
  const std::size_t count = loops.size();
  for (std::size_t index = 0; index < count; ++index) {
    workers_.push_back(std::make_unique<ServerWorker>(*loops[index], quic::WorkerIndex{.index = index, .count = count},
                                                      options_, handshakes_, stuck_tunnels_, admission_, setups_, *this,
                                                      [this] { worker_stopped(); }));
  }
}

Server::~Server() = default;

Result<void> Server::start() {
  for (const ListenerSetup& setup : setups_) {
    Address quic = setup.options->quic_address;
    Address traffic = setup.options->traffic_address;
    for (const auto& worker : workers_) {
      ServerListener& listener = worker->listener(setup.index);
      if (auto opened = listener.open(quic, traffic); !opened) return opened;
      // With port 0, all workers take the port of the first one.
      quic.set_port(listener.quic_address().port());
      traffic.set_port(listener.traffic_address().port());
    }
    quic_addresses_.push_back(quic);
    traffic_addresses_.push_back(traffic);
    log::info("listener ready", {{"quic", quic.text()},
                                 {"traffic", traffic.text()},
                                 {"protocol", protocol_of(*setup.options)},
                                 {"workers", workers_.size()}});
  }
  return {};
}

void Server::stop() noexcept {
  const std::size_t visitors = admission_.visitor_count();
  if (visitors > 0 && options_.drain_timeout > Duration::zero()) {
    log::info("draining", {{"visitors", visitors}, {"timeout_ms", milliseconds(options_.drain_timeout)}});
  }
  for (const auto& worker : workers_) worker->stop();
}

bool Server::post(std::size_t worker, WorkerMessage& message) { return workers_[worker]->post(message); }

void Server::hand_over(std::size_t worker, StrayPackets packets) { workers_[worker]->hand_over(std::move(packets)); }

void Server::worker_stopped() {
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && stopped_) stopped_();
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/client/client.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/printable.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

/// A name for this process that cannot be guessed: 128 random bits in hex (docs/PROTOCOL.md, Register).
std::string make_instance(Random& random) {
  std::array<std::byte, 16> bytes;
  random.fill(bytes);
  return hex(bytes);
}

}  // namespace

Client::Client(ClientOptions options, const std::vector<io::EventLoop*>& loops, std::move_only_function<void()> stopped)
    : options_(std::move(options)),
      stuck_tunnels_(limits::kStuckTunnelsBytesMax, loops.size()),
      ready_(options_, loops.size()),
      stopped_(std::move(stopped)),
      running_(loops.size()) {
  const std::string instance = make_instance(loops[0]->random());
  for (std::size_t i = 0; i < loops.size(); ++i) {
    workers_.push_back(std::make_unique<ClientWorker>(*loops[i], ClientWorker::Place{.index = i, .count = loops.size()},
                                                      stuck_tunnels_, ready_, options_, instance,
                                                      [this] { worker_stopped(); }));
  }
}

Client::~Client() = default;

void Client::start() {
  for (const ServerEntry& server : options_.servers) add_server(server);
}

void Client::add_server(const ServerEntry& server) {
  if (server.all_addresses) {
    for (const auto& worker : workers_) worker->add_server(server);
    return;
  }
  (*std::ranges::min_element(workers_, {}, [](const auto& worker) {
    return worker->server_count();
  }))->add_server(server);
}

void Client::reload(ClientOptions options) {
  if (stop_called_.load(std::memory_order_acquire)) return;
  const bool renamed = options.client_id != options_.client_id;
  const std::vector<ServerEntry> before = std::move(options_.servers);
  options_ = std::move(options);
  const auto lists = [](const std::vector<ServerEntry>& servers, const ServerEntry& server) {
    return std::ranges::find(servers, server) != servers.end();
  };
  for (const ServerEntry& server : before) {
    if (!renamed && lists(options_.servers, server)) continue;
    for (const auto& worker : workers_) worker->remove_server(server);
  }
  for (const auto& worker : workers_) worker->options_changed();
  for (const ServerEntry& server : options_.servers) {
    if (renamed || !lists(before, server)) add_server(server);
  }
}

void Client::stop() noexcept {
  stop_called_.store(true, std::memory_order_release);
  for (const auto& worker : workers_) worker->stop();
}

void Client::worker_stopped() {
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && stopped_) stopped_();
}

}  // namespace qmux::tunnel

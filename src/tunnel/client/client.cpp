// SPDX-License-Identifier: MIT
#include "tunnel/client/client.h"

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
  for (std::size_t i = 0; i < options_.servers.size(); ++i) {
    workers_[i % workers_.size()]->add_server(options_.servers[i]);
  }
}

Client::~Client() = default;

void Client::start() {
  for (const auto& worker : workers_) worker->start();
}

void Client::stop() noexcept {
  for (const auto& worker : workers_) worker->stop();
}

void Client::worker_stopped() {
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && stopped_) stopped_();
}

}  // namespace qmux::tunnel

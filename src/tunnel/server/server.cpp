// SPDX-License-Identifier: MIT
#include "tunnel/server/server.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
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

/// The parts of the listener hold its ports from now on.
void let_go(ListenerOptions& options) {
  options.quic_hold.reset();
  options.traffic_hold.reset();
}

}  // namespace

Server::Server(ServerOptions options, const std::vector<io::EventLoop*>& loops, std::move_only_function<void()> stopped)
    : options_(std::move(options)),
      admission_(options_.visitors_max, loops[0]->random().next_u64()),
      parcels_(limits::kUdpParcelsMax),
      stuck_tunnels_(limits::kStuckTunnelsBytesMax, loops.size()),
      stopped_(std::move(stopped)),
      running_(loops.size()) {
  const std::size_t count = loops.size();
  for (std::size_t index = 0; index < count; ++index) {
    workers_.push_back(std::make_unique<ServerWorker>(*loops[index], quic::WorkerIndex{.index = index, .count = count},
                                                      options_, handshakes_, stuck_tunnels_, parcels_, *this,
                                                      [this] { worker_stopped(); }));
  }
}

Server::~Server() = default;

Result<void> Server::start() {
  for (ListenerOptions& listener : std::exchange(options_.listeners, {})) {
    if (auto added = add(std::move(listener)); !added) return added;
    each_part(*listeners_.back(), [](ServerListener& part) { part.renew(); });
    log_ready(*listeners_.back());
  }
  return {};
}

Result<Server::Reloaded> Server::reload(ServerOptions options) {
  std::vector<ListenerOptions> wanted = std::exchange(options.listeners, {});
  for (const ListenerOptions& each : wanted) end_stopping(each.quic_address);
  forget_ended();
  // First everything that can fail.
  const std::size_t first_new = next_index_;
  Result<void> opened;
  for (std::size_t i = 0; i < wanted.size() && opened; ++i) {
    const SharedListener* const known = find(wanted[i].quic_address);
    opened = known != nullptr ? prepare(*known, wanted[i]) : add(wanted[i]);
  }
  if (!opened) {
    for (const auto& listener : listeners_) each_part(*listener, [](ServerListener& part) { part.abandon(); });
    while (!listeners_.empty() && listeners_.back()->index >= first_new) remove(*listeners_.back());
    return std::unexpected(std::move(opened.error()));
  }

  options_ = std::move(options);
  admission_.set_visitors_max(options_.visitors_max);
  for (const auto& worker : workers_) worker->renew();
  Reloaded done;
  // Those that go first: their visitors are their own until their ports belong to another listener.
  for (const auto& listener : listeners_) {
    const auto has_its_address = [&](const ListenerOptions& each) {
      return each.quic_address == listener->options.quic_address;
    };
    if (std::ranges::any_of(wanted, has_its_address)) continue;
    if (listener->parts_draining.load(std::memory_order_acquire) > 0) continue;  // since an earlier reload
    ++done.removed;
    each_part(*listener, [&](ServerListener& part) { part.drain(options_.drain_timeout); });
    admission_.close(listener->index);
    log::info("listener removed", {{"quic", listener->options.quic_address.text()},
                                   {"visitors", admission_.visitor_count(listener->index)}});
  }
  for (ListenerOptions& next : wanted) {
    SharedListener& listener = *find(next.quic_address);
    const bool is_new = listener.index >= first_new;
    const bool moves =
        listener.options.traffic_address != next.traffic_address || listener.options.protocol != next.protocol;
    const bool returns = listener.parts_draining.load(std::memory_order_acquire) > 0;
    listener.options = std::move(next);
    let_go(listener.options);
    listener.pool.set_balance(options_.balance);
    admission_.set_limits(listener.index, listener.options.visitors);
    each_part(listener, [](ServerListener& part) { part.renew(); });
    if (is_new || returns) {
      ++done.added;
    } else if (moves) {
      ++done.moved;
    }
    if (is_new || returns || moves) log_ready(listener);
  }
  return done;
}

std::size_t Server::listener_index(const Address& quic_address) const {
  const auto last = std::find_if(listeners_.rbegin(), listeners_.rend(),
                                 [&](const auto& each) { return each->options.quic_address == quic_address; });
  CHECK(last != listeners_.rend());
  return (*last)->index;
}

const SharedListener& Server::shared(std::size_t index) const {
  const auto found = std::ranges::find(listeners_, index, [](const auto& each) { return each->index; });
  CHECK(found != listeners_.end());
  return **found;
}

bool Server::is_stopping(const SharedListener& listener) const {
  return std::ranges::any_of(workers_, [&](const auto& worker) {
    const ServerListener* const part = worker->find(listener.index);
    return part == nullptr || part->is_stopping();
  });
}

SharedListener* Server::find(const Address& quic_address) {
  const auto found = std::ranges::find_if(
      listeners_, [&](const auto& each) { return each->options.quic_address == quic_address && !is_stopping(*each); });
  return found != listeners_.end() ? found->get() : nullptr;
}

/// One with that address that was removed before, and has nothing left to do but to answer late packets.
void Server::end_stopping(const Address& quic_address) {
  for (const auto& listener : listeners_) {
    if (listener->options.quic_address != quic_address || !is_stopping(*listener)) continue;
    for (const auto& worker : workers_) worker->remove(listener->index);
  }
}

template <typename Function>
void Server::each_part(const SharedListener& listener, Function function) {
  for (const auto& worker : workers_) {
    if (ServerListener* const part = worker->find(listener.index)) function(*part);
  }
}

Result<void> Server::add(ListenerOptions options) {
  SharedListener& added = *listeners_.emplace_back(
      std::make_unique<SharedListener>(next_index_++, std::move(options), options_, admission_, parcels_));
  Address& quic = added.options.quic_address;
  Address& traffic = added.options.traffic_address;
  for (const auto& worker : workers_) {
    ServerListener& part = worker->add(added);
    auto opened = part.open(added.options);
    if (opened) opened = part.prepare(added.options);
    if (!opened) {
      remove(added);
      return opened;
    }
    // With port 0, all workers take the port of the first one.
    quic.set_port(part.quic_address().port());
    traffic.set_port(part.prepared_address().port());
  }
  let_go(added.options);
  return {};
}

void Server::remove(const SharedListener& listener) {
  for (const auto& worker : workers_) worker->remove(listener.index);
  admission_.close(listener.index);
  std::erase_if(listeners_, [&](const auto& each) { return each.get() == &listener; });
}

Result<void> Server::prepare(const SharedListener& listener, const ListenerOptions& options) {
  Result<void> opened;
  each_part(listener, [&](ServerListener& part) {
    if (opened) opened = part.prepare(options);
  });
  return opened;
}

void Server::log_ready(const SharedListener& listener) const {
  log::info("listener ready", {{"quic", listener.options.quic_address.text()},
                               {"traffic", listener.options.traffic_address.text()},
                               {"protocol", protocol_of(listener.options)},
                               {"workers", workers_.size()}});
}

/// Not at once: a visitor on its way between workers may still have an assignment of its pool.
void Server::forget_ended() {
  std::erase_if(listeners_, [](const auto& each) {
    return each->parts.load(std::memory_order_acquire) == 0 && each->pool.is_unused();
  });
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

// SPDX-License-Identifier: MIT
#include "tunnel/client/client_worker.h"

#include <ranges>
#include <utility>

#include "base/log.h"
#include "tunnel/worker/end_pass.h"

namespace qmux::tunnel {

ClientWorker::ClientWorker(io::EventLoop& loop, Place place, MemoryLimit& stuck_tunnels, ReadyNotice& ready,
                           const ClientOptions& options, std::string instance, std::move_only_function<void()> stopped)
    : state_(loop, place.count, stuck_tunnels, options.tcp_keep_alive),
      place_(place),
      ready_(ready),
      options_(options),
      instance_(std::move(instance)),
      stopped_(std::move(stopped)) {
  loop.set_pass_events(this);
  loop.set_network_events(this);
  loop.set_wake_handler([this] { woken(); });
}

ClientWorker::~ClientWorker() {
  state_.loop.set_pass_events(nullptr);
  state_.loop.set_network_events(nullptr);
  state_.loop.set_wake_handler({});
  state_.retired.clear();
}

void ClientWorker::add_server(const ServerEntry& server) {
  links_.push_back(std::make_unique<ServerLink>(state_, ready_, options_, instance_, server, next_slot()));
}

std::uint32_t ClientWorker::next_slot() noexcept {
  return static_cast<std::uint32_t>(place_.index + place_.count * links_made_++);
}

void ClientWorker::start() {
  for (const auto& link : links_) link->start();
}

void ClientWorker::stop() noexcept {
  stop_wanted_.store(true, std::memory_order_release);
  state_.loop.wake();
}

void ClientWorker::network_changed() {
  for (const auto& link : links_) link->network_changed();
}

void ClientWorker::woken() {
  if (!stop_wanted_.load(std::memory_order_acquire) || stopping_) return;
  stopping_ = true;
  std::size_t tunnels = 0;
  for (const auto& link : links_) tunnels += link->tunnel_count();
  if (tunnels > 0 && options_.drain_timeout > Duration::zero()) {
    log::info("draining", {{"tunnels", tunnels}, {"timeout_ms", milliseconds(options_.drain_timeout)}});
  }
  for (const auto& link : links_) link->drain(options_.drain_timeout, "the client is stopping");
}

void ClientWorker::end_of_pass(Time now) {
  auto endpoints = links_ | std::views::transform([](const auto& link) -> const auto& { return link->endpoints(); }) |
                   std::views::join |
                   std::views::transform([](const auto& endpoint) -> quic::Endpoint& { return *endpoint; });
  end_pass(state_, endpoints, now);
  for (const auto& link : links_) link->forget_finished();
  std::erase_if(links_, [](const auto& link) { return link->stopped(); });
  if (stopping_ && links_.empty() && stopped_) std::exchange(stopped_, nullptr)();
}

}  // namespace qmux::tunnel

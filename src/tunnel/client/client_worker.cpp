// SPDX-License-Identifier: MIT
#include "tunnel/client/client_worker.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/end_pass.h"

namespace qmux::tunnel {

ClientWorker::ClientWorker(io::EventLoop& loop, std::size_t workers, MemoryLimit& stuck_tunnels, ReadyNotice& ready,
                           const ClientOptions& options, std::string instance, std::move_only_function<void()> stopped)
    : state_(loop, workers, stuck_tunnels, options.tcp_keep_alive),
      ready_(ready),
      options_(options),
      instance_(std::move(instance)),
      stopped_(std::move(stopped)),
      drain_look_(loop.timers(), [this] { look_for_end(); }),
      stop_due_(loop.timers(), [this] { begin_stop(); }),
      stop_deadline_(loop.timers(), [this] { finish_stop(); }) {
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

void ClientWorker::add_server(std::uint32_t server_index) {
  links_.push_back(std::make_unique<ServerLink>(state_, ready_, options_, instance_, server_index));
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
  if (!stop_wanted_.load(std::memory_order_acquire) || drain_end_ != kNever) return;
  drain_end_ = state_.loop.now() + options_.drain_timeout;
  std::size_t tunnels = 0;
  for (const auto& link : links_) tunnels += link->tunnel_count();
  if (tunnels > 0 && options_.drain_timeout > Duration::zero()) {
    log::info("draining", {{"tunnels", tunnels}, {"timeout_ms", milliseconds(options_.drain_timeout)}});
  }
  for (const auto& link : links_) link->drain();
  look_for_end();
}

void ClientWorker::look_for_end() {
  const Time now = state_.loop.now();
  if (now >= drain_end_ || std::ranges::all_of(links_, [](const auto& link) { return link->is_drained(); })) {
    bool returned = false;
    for (const auto& link : links_) returned |= link->return_visitors();
    if (!returned) return begin_stop();
    stop_due_.set(now + limits::kDrainFlushTime);
    return;
  }
  drain_look_.set(std::min(now + limits::kDrainLookInterval, drain_end_));
}

void ClientWorker::begin_stop() {
  stopping_ = true;
  for (const auto& link : links_) link->stop();
  stop_deadline_.set(state_.loop.now() + limits::kStopTimeMax);
}

void ClientWorker::end_of_pass(Time now) {
  auto endpoints = links_ | std::views::transform([](const auto& link) -> const auto& { return link->endpoints(); }) |
                   std::views::join |
                   std::views::transform([](const auto& endpoint) -> quic::Endpoint& { return *endpoint; });
  end_pass(state_, endpoints, now);
  for (const auto& link : links_) link->forget_finished();
  if (stopping_ && std::ranges::all_of(links_, [](const auto& link) { return link->stopped(); })) finish_stop();
}

void ClientWorker::finish_stop() {
  stop_deadline_.cancel();
  if (stopped_) std::exchange(stopped_, nullptr)();
}

}  // namespace qmux::tunnel

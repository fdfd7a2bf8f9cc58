// SPDX-License-Identifier: MIT
#include "tunnel/client/client_worker.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>
#include <vector>

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

// --- servers and their addresses ------------------------------------------------------------------------------------------

void ClientWorker::add_server(const ServerEntry& server) {
  if (!server.all_addresses) return add_link(server, {});
  names_.push_back(
      std::make_unique<NameFollower>(state_.loop, options_, server, static_cast<NameFollower::Events&>(*this)));
  names_.back()->look_up_soon();
}

void ClientWorker::add_link(const ServerEntry& server, const Address& address) {
  links_.push_back(std::make_unique<ServerLink>(state_, ready_, options_, instance_, server, address, next_slot()));
  links_.back()->start();
}

std::uint32_t ClientWorker::next_slot() noexcept {
  return static_cast<std::uint32_t>(place_.index + place_.count * links_made_++);
}

void ClientWorker::remove_server(const ServerEntry& server) {
  std::erase_if(names_, [&](const auto& name) { return name->server() == server; });
  for (const auto& link : links_) {
    if (link->server() == server && !link->is_leaving()) drain(*link, "the client does not serve this server any more");
  }
  state_.loop.request_pass();
}

void ClientWorker::drain(ServerLink& link, const std::string& reason) {
  std::vector<log::Field> fields{{"server", link.server().address.text()}};
  if (link.address().specified()) fields.emplace_back("address", link.address().text());
  fields.emplace_back("reason", reason);
  fields.emplace_back("tunnels", link.tunnel_count());
  fields.emplace_back("timeout_ms", milliseconds(options_.drain_timeout));
  log::write(log::Level::info, "server removed", fields);
  link.drain(options_.drain_timeout, reason);
}

void ClientWorker::addresses_found(const ServerEntry& server, std::span<const Address> addresses) {
  std::vector<Address> ours;
  std::ranges::copy_if(addresses, std::back_inserter(ours),
                       [this](const Address& each) { return each.hash() % place_.count == place_.index; });
  for (const auto& link : links_) {
    if (link->server() != server || link->is_leaving()) continue;
    if (std::erase(ours, link->address()) == 0)
      drain(*link, "the name of the server does not have this address any more");
  }
  for (const Address& address : ours) add_link(server, address);
}

std::size_t ClientWorker::server_count() const noexcept {
  const auto any_address = [](const auto& link) { return !link->is_leaving() && !link->server().all_addresses; };
  return names_.size() + static_cast<std::size_t>(std::ranges::count_if(links_, any_address));
}

void ClientWorker::options_changed() {
  state_.tcp_keep_alive = options_.tcp_keep_alive;
  for (const auto& name : names_) name->look_up_soon();
  for (const auto& link : links_) link->options_changed();
  state_.loop.request_pass();
}

void ClientWorker::machine_woke(Duration asleep) {
  for (const auto& name : names_) name->look_up_soon();
  for (const auto& link : links_) link->machine_woke(asleep);
  state_.loop.request_pass();
}

void ClientWorker::network_changed() {
  for (const auto& name : names_) name->network_changed();
  for (const auto& link : links_) link->network_changed();
}

// --- the end --------------------------------------------------------------------------------------------------------------

void ClientWorker::stop() noexcept {
  stop_wanted_.store(true, std::memory_order_release);
  state_.loop.wake();
}

void ClientWorker::woken() {
  if (!stop_wanted_.load(std::memory_order_acquire) || stopping_) return;
  stopping_ = true;
  names_.clear();
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

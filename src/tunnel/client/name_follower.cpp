// SPDX-License-Identifier: MIT
#include "tunnel/client/name_follower.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

std::vector<Address> choose_addresses(std::vector<Address> addresses, std::size_t count_max) {
  // Not the first ones: name servers change the order at every answer.
  const auto rank = [](const Address& address) { return std::pair(address.hash(), address.text()); };
  std::ranges::sort(addresses, {}, rank);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  if (addresses.size() > count_max) addresses.resize(count_max);
  return addresses;
}

NameFollower::NameFollower(io::EventLoop& loop, const ClientOptions& options, ServerEntry server, Events& events)
    : loop_(loop), options_(options), server_(std::move(server)), events_(events), next_(loop.timers(), [this] {
        look_up();
      }) {}

NameFollower::~NameFollower() = default;

void NameFollower::look_up_soon() {
  if (!resolution_) next_.set(loop_.now());
}

void NameFollower::network_changed() {
  if (failing_) look_up_soon();
}

void NameFollower::look_up() {
  resolution_ =
      loop_.resolve(server_.address, [this](const Result<std::vector<Address>>& addresses) { looked_up(addresses); });
}

void NameFollower::looked_up(const Result<std::vector<Address>>& addresses) {
  resolution_.reset();
  if (!addresses || addresses->empty()) return failed(addresses);
  found_ = true;
  failing_ = false;
  next_.set(loop_.now() + options_.resolve_interval);
  const std::size_t in_all = addresses->size();
  const std::vector<Address> used = choose_addresses(*addresses, limits::kAddressesPerNameMax);
  if (in_all > used.size() && used.size() == limits::kAddressesPerNameMax && !std::exchange(too_many_logged_, true)) {
    log::write(
        log::Level::warn, "too many addresses of one server",
        std::vector<log::Field>{{"server", server_.address.text()}, {"addresses", in_all}, {"used", used.size()}});
  }
  events_.addresses_found(server_, used);
}

void NameFollower::failed(const Result<std::vector<Address>>& addresses) {
  // Before anything is connected, a short wait notices sooner that this machine has a network.
  const Duration wait =
      found_ ? options_.resolve_interval : std::min<Duration>(options_.resolve_interval, limits::kLocalRetryTimeMax);
  next_.set(loop_.now() + wait);
  if (std::exchange(failing_, true)) return;
  std::vector<log::Field> fields{{"server", server_.address.text()},
                                 {"cause", addresses ? "the name has no addresses" : addresses.error().text()}};
  std::string remedy = options_.advice != nullptr ? options_.advice->unresolved(server_) : std::string();
  if (!remedy.empty()) fields.emplace_back("remedy", std::move(remedy));
  fields.emplace_back("retry_in_ms", milliseconds(wait));
  log::write(log::Level::warn, "server name not resolved", fields);
}

}  // namespace qmux::tunnel

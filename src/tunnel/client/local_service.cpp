// SPDX-License-Identifier: MIT
#include "tunnel/client/local_service.h"

#include <utility>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

LocalService::LocalService(io::EventLoop& loop, const HostPort& address)
    : loop_(loop), address_(address), places_free_(loop.timers(), [this] { grant_places(); }) {
  take_literal();
}

void LocalService::set_address(const HostPort& address) {
  const auto call = guard_.call();
  if (address == address_) return;
  address_ = address;
  valid_until_ = Time::min();
  resolution_.reset();
  take_literal();
  if (!waiting_for_addresses_.empty()) look_up();
}

void LocalService::take_literal() {
  const auto literal = Address::from_literal(address_.host, address_.port);
  if (!literal) return;
  addresses_ = Addresses{*literal};
  valid_until_ = kNever;
}

const Result<LocalService::Addresses>* LocalService::known() const noexcept {
  return loop_.now() < valid_until_ ? &addresses_ : nullptr;
}

void LocalService::wait_for_addresses(AddressWaiter& waiter) {
  const auto call = guard_.call();
  waiting_for_addresses_.push_back(waiter);
  if (!resolution_) look_up();
}

void LocalService::look_up() {
  resolution_ = loop_.resolve(address_, [this](Result<Addresses> addresses) { looked_up(std::move(addresses)); });
}

void LocalService::looked_up(Result<Addresses> addresses) {
  resolution_.reset();
  addresses_ = std::move(addresses);
  valid_until_ =
      loop_.now() + (addresses_ ? Duration(limits::kServiceLookUpAge) : Duration(limits::kServiceRetryInterval));
  // A waiter may destroy others, or wait again.
  Queue<AddressWaiter> waiting;
  while (AddressWaiter* const waiter = waiting_for_addresses_.pop_front()) waiting.push_back(*waiter);
  guard_.check_no_call();
  while (AddressWaiter* const waiter = waiting.pop_front()) waiter->service_found(addresses_);
}

bool LocalService::take_place(DialWaiter& waiter) {
  const auto call = guard_.call();
  if (places_taken_ < limits::kDialsInFlightMax && waiting_for_place_.empty()) {
    ++places_taken_;
    return true;
  }
  waiting_for_place_.push_back(waiter);
  return false;
}

void LocalService::give_back_place() {
  const auto call = guard_.call();
  CHECK(places_taken_ > 0);
  --places_taken_;
  if (!waiting_for_place_.empty()) places_free_.set(loop_.now());
}

void LocalService::grant_places() {
  while (places_taken_ < limits::kDialsInFlightMax) {
    DialWaiter* const waiter = waiting_for_place_.pop_front();
    if (waiter == nullptr) return;
    ++places_taken_;
    guard_.check_no_call();
    waiter->may_dial();
  }
}

}  // namespace qmux::tunnel

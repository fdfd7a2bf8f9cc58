// SPDX-License-Identifier: MIT
#include "tunnel/client/dial.h"

#include <utility>

#include "tunnel/limits.h"

namespace qmux::tunnel {

Dial::Dial(io::EventLoop& loop, LocalService& service, Done done)
    : loop_(loop),
      service_(service),
      deadline_(loop.now() + limits::kDialTimeout),
      done_(std::move(done)),
      last_error_{"the name has no address", service.address().text(), {}},
      timer_(loop.timers(), [this] { timer_expired(); }) {
  timer_.set(deadline_);
  if (service_.take_place(*this)) may_dial();
}

Dial::~Dial() { leave_place(); }

void Dial::leave_place() {
  if (std::exchange(has_place_, false)) service_.give_back_place();
}

void Dial::may_dial() {
  has_place_ = true;
  if (const auto* const addresses = service_.known()) return service_found(*addresses);
  phase_ = Phase::awaits_addresses;
  service_.wait_for_addresses(*this);
}

void Dial::service_found(const Result<LocalService::Addresses>& addresses) {
  phase_ = Phase::tries_addresses;
  if (addresses) {
    addresses_ = *addresses;
  } else {
    last_error_ = addresses.error();
  }
  try_next();
}

void Dial::try_next() {
  socket_.reset();
  while (next_ < addresses_.size()) {
    const Duration share = (deadline_ - loop_.now()) / static_cast<Duration::rep>(addresses_.size() - next_);
    const Address& address = addresses_[next_++];
    auto socket = loop_.connect_tcp(address);
    if (!socket) {
      last_error_ = std::move(socket.error());
      continue;
    }
    socket_ = std::move(*socket);
    socket_->watch(io::Interest::write, this);
    timer_.set(loop_.now() + share);
    return;
  }
  timer_.set(loop_.now());  // this may run in the constructor, which must not call back
}

void Dial::socket_writable() {
  if (auto error = socket_->connect_error()) {
    attempt_failed(std::move(*error));
    return;
  }
  socket_->watch(io::Interest::none, nullptr);
  finish(std::move(socket_));
}

void Dial::socket_reset() { attempt_failed(socket_->connect_error().value_or("connection reset")); }

void Dial::attempt_failed(std::string why) {
  last_error_ = Error{std::move(why), addresses_[next_ - 1].text(), {}};
  try_next();
}

void Dial::timer_expired() {
  const std::string service = service_.address().text();
  switch (phase_) {
    case Phase::awaits_place:
      return finish(fail("too many other attempts to connect wait for the service's answer", service));
    case Phase::awaits_addresses:
      return finish(fail("the name was not resolved in time", service));
    case Phase::tries_addresses:
      if (socket_ != nullptr) return attempt_failed("no answer to the attempt to connect");
      return finish(std::unexpected(std::move(last_error_)));
  }
}

void Dial::finish(Result<std::unique_ptr<io::TcpSocket>> result) {
  timer_.cancel();
  LocalService::AddressWaiter::leave_queue();
  LocalService::DialWaiter::leave_queue();
  leave_place();
  auto done = std::exchange(done_, nullptr);  // may destroy this
  done(std::move(result));
}

}  // namespace qmux::tunnel

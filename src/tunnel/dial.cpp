// SPDX-License-Identifier: MIT
#include "tunnel/dial.h"

#include <utility>

#include "base/limits.h"

namespace qmux::tunnel {

Dial::Dial(io::EventLoop& loop, const HostPort& service, Done done)
    : loop_(loop),
      service_(service.text()),
      deadline_(loop.now() + limits::kDialTimeout),
      done_(std::move(done)),
      last_error_{"the name has no address", service_, {}},
      timer_(loop.timers(), [this] { timer_expired(); }) {
  if (const auto literal = Address::from_literal(service.host, service.port)) {
    addresses_.push_back(*literal);
    try_next();
    return;
  }
  resolving_ = true;
  timer_.set(deadline_);
  resolution_ = loop.resolve(service, [this](Result<std::vector<Address>> resolved) {
    resolving_ = false;
    if (resolved) {
      addresses_ = std::move(*resolved);
    } else {
      last_error_ = std::move(resolved.error());
    }
    try_next();
  });
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
  timer_.set(loop_.now());  // the constructor may have led here, and nothing is told from inside it
}

void Dial::socket_writable() {
  if (auto error = socket_->connect_error()) {
    attempt_failed(std::move(*error));
    return;
  }
  socket_->watch(io::Interest::none, nullptr);
  tell(std::move(socket_));
}

void Dial::socket_reset() { attempt_failed(socket_->connect_error().value_or("connection reset")); }

void Dial::attempt_failed(std::string why) {
  last_error_ = Error{std::move(why), addresses_[next_ - 1].text(), {}};
  try_next();
}

void Dial::timer_expired() {
  if (resolving_) {
    tell(fail("the name was not resolved in time", service_));
  } else if (socket_ != nullptr) {
    attempt_failed("no answer to the attempt to connect");
  } else {
    tell(std::unexpected(std::move(last_error_)));
  }
}

void Dial::tell(Result<std::unique_ptr<io::TcpSocket>> result) {
  timer_.cancel();
  resolution_.reset();
  auto done = std::exchange(done_, nullptr);  // may destroy this
  done(std::move(result));
}

}  // namespace qmux::tunnel

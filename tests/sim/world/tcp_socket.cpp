// SPDX-License-Identifier: MIT
#include "sim/world/tcp_socket.h"

#include "base/check.h"

namespace qmux::sim {

using io::Interest;
using io::IoStatus;

SimTcpSocket::SimTcpSocket(ReadyQueue& ready, TcpConnection& connection, TcpSide side)
    : ReadySource(ready), connection_(&connection), side_(side) {
  connection.observe(side, this);
}

SimTcpSocket::~SimTcpSocket() {
  if (connection_ != nullptr) connection_->close(side_);
}

io::IoResult SimTcpSocket::read(std::span<const MutableBytes> into) {
  CHECK(connection_ != nullptr && !aborted_);
  std::size_t total = 0;
  for (const MutableBytes part : into) {
    if (part.empty()) continue;
    if (total > 0 && connection_->readable_bytes(side_) == 0) break;  // FIN and reset are the next call's
    const io::IoResult result = connection_->read(side_, part);
    if (result.status != IoStatus::done) return total > 0 ? io::IoResult{IoStatus::done, total} : result;
    total += result.count;
    if (result.count < part.size()) break;
  }
  return {total > 0 ? IoStatus::done : IoStatus::would_block, total};
}

io::IoResult SimTcpSocket::write(std::span<const ConstBytes> from) {
  CHECK(connection_ != nullptr && !aborted_);
  std::size_t total = 0;
  for (const ConstBytes part : from) {
    if (part.empty()) continue;
    const io::IoResult result = connection_->write(side_, part);
    if (result.status != IoStatus::done) return total > 0 ? io::IoResult{IoStatus::done, total} : result;
    total += result.count;
    if (result.count < part.size()) break;
  }
  return {total > 0 ? IoStatus::done : IoStatus::would_block, total};
}

void SimTcpSocket::shutdown_write() {
  CHECK(connection_ != nullptr);
  if (!aborted_) connection_->shutdown_write(side_);
}

void SimTcpSocket::abort() {
  CHECK(connection_ != nullptr);
  if (aborted_) return;
  aborted_ = true;
  events_ = nullptr;
  connection_->abort(side_);
}

void SimTcpSocket::watch(Interest interest, io::TcpSocketEvents* events) {
  CHECK(connection_ != nullptr);
  if (aborted_) return;
  interest_ = events != nullptr ? interest : Interest::none;
  if (std::exchange(events_, events) != events) reset_reported_ = false;
  if (events == nullptr) return;
  if (has(interest, Interest::read) && connection_->readable(side_)) enqueue(Ready::readable);
  if (has(interest, Interest::write) && connection_->writable(side_)) enqueue(Ready::writable);
  if (connection_->was_reset(side_) && !reset_reported_) enqueue(Ready::reset);
}

void SimTcpSocket::keep_alive(Duration idle) {
  CHECK(connection_ != nullptr);
  connection_->keep_alive(side_, idle);
}

std::size_t SimTcpSocket::unacknowledged_bytes() const {
  CHECK(connection_ != nullptr);
  return connection_->unacknowledged_bytes(side_);
}

std::optional<std::string> SimTcpSocket::connect_error() {
  CHECK(connection_ != nullptr);
  return connection_->connect_error();
}

Address SimTcpSocket::local_address() const {
  CHECK(connection_ != nullptr);
  return connection_->local_address(side_);
}

Address SimTcpSocket::remote_address() const {
  CHECK(connection_ != nullptr);
  return connection_->remote_address(side_);
}

io::TcpHandle SimTcpSocket::detach() {
  CHECK(connection_ != nullptr && !aborted_);
  events_ = nullptr;
  return std::exchange(connection_, nullptr)->to_handle(side_);
}

void SimTcpSocket::end_readable() {
  if (has(interest_, Interest::read)) enqueue(Ready::readable);
}

void SimTcpSocket::end_writable() {
  if (has(interest_, Interest::write)) enqueue(Ready::writable);
}

void SimTcpSocket::end_reset() {
  if (events_ != nullptr && !reset_reported_) enqueue(Ready::reset);
}

void SimTcpSocket::spend(Interest spent) noexcept {
  interest_ = static_cast<Interest>(static_cast<unsigned>(interest_) & ~static_cast<unsigned>(spent));
}

void SimTcpSocket::ready(unsigned kind) {
  if (events_ == nullptr) return;
  // The interest may have changed, and the readiness gone, since this was queued.
  switch (kind) {
    case Ready::readable:
      if (!has(interest_, Interest::read) || !connection_->readable(side_)) return;
      spend(Interest::read);
      return events_->socket_readable();
    case Ready::writable:
      if (!has(interest_, Interest::write) || !connection_->writable(side_)) return;
      spend(Interest::write);
      return events_->socket_writable();
    default:
      if (std::exchange(reset_reported_, true)) return;
      return events_->socket_reset();
  }
}

}  // namespace qmux::sim

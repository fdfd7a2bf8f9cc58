// SPDX-License-Identifier: MIT
#include "sim/world/tcp_listener.h"

#include "sim/world/host.h"
#include "sim/world/tcp_connection.h"

namespace qmux::sim {

SimTcpListener::SimTcpListener(ReadyQueue& ready, Host& host, const Address& local, bool shared_port,
                               io::TcpListener::Events& events)
    : ReadySource(ready), host_(host), local_(local), shared_port_(shared_port), events_(events) {
  host_.add(*this);
}

SimTcpListener::~SimTcpListener() { host_.remove(*this); }

void SimTcpListener::enqueue(TcpConnection& connection) {
  addresses_.emplace_back(connection.remote_address(TcpSide::server), connection.local_address(TcpSide::server));
  backlog_.push_back(connection.to_handle(TcpSide::server));
  ReadySource::enqueue(0);
}

std::vector<io::TcpListener::Waiting> SimTcpListener::take_waiting() {
  std::vector<Waiting> taken;
  for (; !backlog_.empty(); backlog_.pop_front(), addresses_.pop_front()) {
    const auto& [remote, local] = addresses_.front();
    taken.push_back({.handle = std::move(backlog_.front()), .remote = remote, .local = local});
  }
  return taken;
}

void SimTcpListener::ready(unsigned) {
  if (backlog_.empty()) return;
  // One in each notification, since the observer may close the listener; the others in the next pass.
  io::TcpHandle visitor = std::move(backlog_.front());
  const auto [remote, local] = addresses_.front();
  backlog_.pop_front();
  addresses_.pop_front();
  if (!backlog_.empty()) ReadySource::enqueue(0);
  events_.accepted(std::move(visitor), remote, local);
}

}  // namespace qmux::sim

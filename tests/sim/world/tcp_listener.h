// SPDX-License-Identifier: MIT
//
// A listening TCP port on a host: a backlog of connections, accepted in the loop's passes.
#pragma once

#include <deque>

#include "base/io/tcp_socket.h"
#include "sim/world/ready.h"

namespace qmux::sim {

class Host;
class TcpConnection;

class SimTcpListener final : public io::TcpListener, private ReadySource {
 public:
  /// `local` was claimed at the host.
  SimTcpListener(ReadyQueue& ready, Host& host, const Address& local, bool shared_port,
                 io::TcpListener::Events& events);
  ~SimTcpListener() override;

  [[nodiscard]] Address local_address() const override { return local_; }
  [[nodiscard]] std::vector<Waiting> take_waiting() override;
  [[nodiscard]] bool shares_port() const noexcept { return shared_port_; }

  [[nodiscard]] std::size_t backlog_size() const noexcept { return backlog_.size(); }
  void enqueue(TcpConnection& connection);

 private:
  void ready(unsigned kind) override;

  Host& host_;
  const Address local_;
  const bool shared_port_;
  io::TcpListener::Events& events_;
  std::deque<io::TcpHandle> backlog_;
  std::deque<std::pair<Address, Address>> addresses_;  ///< remote and local of each in backlog_
};

}  // namespace qmux::sim

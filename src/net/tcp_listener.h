// SPDX-License-Identifier: MIT
//
// io::TcpListener over the kernel: accepts in batches, and pauses while the process or the system is out of
// descriptors or memory, because a visitor that cannot be accepted stays in the queue and would be announced again at once.
//
// "[::]" takes IPv4 as well (as IPv4-mapped addresses), "0.0.0.0" IPv4 alone.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/io/event_loop.h"
#include "base/io/tcp_socket.h"
#include "net/reactor.h"

namespace qmux::net {

class AsioEventLoop;

class KernelTcpListener final : public io::TcpListener, Reactor::Events {
 public:
  [[nodiscard]] static Result<std::unique_ptr<io::TcpListener>> open(AsioEventLoop& loop, const Address& local,
                                                                     bool shared_port, io::TcpListener::Events& events);
  ~KernelTcpListener() override;
  [[nodiscard]] Address local_address() const override { return local_; }
  [[nodiscard]] std::vector<Waiting> take_waiting() override;

 private:
  KernelTcpListener(AsioEventLoop& loop, io::TcpListener::Events& events);
  void ready(Readiness) override;
  /// nullopt: errno says why.
  [[nodiscard]] std::optional<Waiting> accept_one() const;
  void pause(int error);

  AsioEventLoop& loop_;
  io::TcpListener::Events& events_;
  Descriptor descriptor_;
  Address local_;
  Timer resume_;
  bool* destroyed_ = nullptr;  ///< set by the destructor while the observer's callback runs
};

}  // namespace qmux::net

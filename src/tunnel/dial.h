// SPDX-License-Identifier: MIT
//
// Connects to the local service: resolves its name, at every dial again, and tries its addresses in turn, each for its share
// of limits::kDialTimeout.
//
// Owned by who wants the socket; one thread. Destroying it cancels it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/event_loop.h"
#include "base/io/tcp_socket.h"
#include "base/result.h"
#include "base/time.h"
#include "base/timer_queue.h"

namespace qmux::tunnel {

class Dial final : private io::SocketObserver {
 public:
  /// A connected socket that nobody watches yet; or why the last address could not be reached, or the name not be resolved.
  using Done = std::move_only_function<void(Result<std::unique_ptr<io::TcpSocket>>)>;

  /// `done` is told once, from the loop, never from inside the constructor. The Dial may be destroyed from there.
  Dial(io::EventLoop& loop, const HostPort& service, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  void socket_readable() override {}
  void socket_writable() override;
  void socket_reset() override;

  void try_next();
  void attempt_failed(std::string why);
  void timer_expired();
  void tell(Result<std::unique_ptr<io::TcpSocket>> result);

  io::EventLoop& loop_;
  const std::string service_;
  const Time deadline_;
  Done done_;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;  ///< in addresses_
  std::unique_ptr<io::Resolution> resolution_;
  bool resolving_ = false;
  std::unique_ptr<io::TcpSocket> socket_;  ///< connecting
  Error last_error_;
  Timer timer_;
};

}  // namespace qmux::tunnel

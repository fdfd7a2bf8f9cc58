// SPDX-License-Identifier: MIT
//
// Connects to the local service: waits for a place among the attempts (tunnel/client/local_service.h), then for the service's
// addresses. It tries these in turn, each for its share of the rest of limits::kDialTimeout.
//
//   waits for a place -> waits for addresses -> tries them -> done
//
// Owned by the user of the socket; one thread. Destroying it cancels it.
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
#include "tunnel/client/local_service.h"

namespace qmux::tunnel {

class Dial final : private io::TcpSocketEvents, private LocalService::AddressWaiter, private LocalService::DialWaiter {
 public:
  /// A connected socket without a watcher, or why the last address could not be reached or the name could not be resolved.
  using Done = std::move_only_function<void(Result<std::unique_ptr<io::TcpSocket>>)>;

  /// `done` is called once, from the loop, never inside the constructor. It may destroy the Dial. `service` outlives it.
  Dial(io::EventLoop& loop, LocalService& service, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;
  ~Dial();

 private:
  enum class Phase : std::uint8_t { awaits_place, awaits_addresses, tries_addresses };

  // LocalService's waiters
  void may_dial() override;
  void service_found(const Result<LocalService::Addresses>& addresses) override;
  // io::TcpSocketEvents
  void socket_readable() override {}
  void socket_writable() override;
  void socket_reset() override;

  void try_next();
  void attempt_failed(std::string why);
  void timer_expired();
  void finish(Result<std::unique_ptr<io::TcpSocket>> result);
  void leave_place();

  io::EventLoop& loop_;
  LocalService& service_;
  const Time deadline_;
  Done done_;
  Phase phase_ = Phase::awaits_place;
  bool has_place_ = false;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;                   ///< in addresses_
  std::unique_ptr<io::TcpSocket> socket_;  ///< connecting
  Error last_error_;
  Timer timer_;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// Everything that a worker asks of the outside. One event loop a worker, one thread; net/ runs it on the kernel, tests/sim
// on a virtual clock.
//
// A pass: one timestamp; sockets that are ready tell their observers; timers that are due run; then the pass observer
// finishes the work that both have collected. Observers are told in the order in which things became ready. Nothing tells
// an observer from inside a call that the observer made.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "base/io/tcp_socket.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "base/timer_queue.h"

namespace qmux::io {

/// How a UDP socket is opened.
struct DatagramOptions {
  Address local;                  ///< to bind; port 0: any
  Address remote;                 ///< specified: connect to it, and receive from it alone
  bool shared_port = false;       ///< SO_REUSEPORT: one socket a worker on one address
  std::size_t steered_among = 0;  ///< of a shared port: so many sockets, and each QUIC packet goes to the one, in the
                                  ///< order of opening, that the first byte of its connection ID names; 0: by address
  std::size_t buffer_bytes = 4U << 20U;  ///< to ask for in each direction
  bool fragmentable = false;  ///< IP may fragment what is longer than the path takes; otherwise it is lost, or
                              ///< SendStatus::too_large, as QUIC needs it to find the path's MTU
};

/// A look-up under way; destroying it cancels it and nobody is told.
class Resolution {
 public:
  virtual ~Resolution() = default;
};

class EventLoop {
 public:
  /// Addresses in the order to try (RFC 6724), or why there are none.
  using Resolved = std::move_only_function<void(Result<std::vector<Address>>)>;

  /// Ends every pass.
  class PassEvents {
   public:
    /// Everything of this pass has been told. Where work remains: request_pass().
    virtual void end_of_pass(Time now) = 0;

   protected:
    ~PassEvents() = default;
  };

  virtual ~EventLoop() = default;

  /// The timestamp of the current pass; the same all through it, never decreasing.
  [[nodiscard]] virtual Time now() const noexcept = 0;
  /// A clock that runs while the loop's thread has the processor, from any beginning. Only to measure what work costs; a
  /// simulated pass takes no time.
  [[nodiscard]] virtual Time clock() const noexcept { return now(); }
  /// Seconds since 1970-01-01 UTC, for messages that carry it.
  [[nodiscard]] virtual std::int64_t unix_seconds() const noexcept = 0;
  [[nodiscard]] virtual Random& random() noexcept = 0;
  [[nodiscard]] virtual TimerQueue& timers() noexcept = 0;

  /// One observer a loop; nullptr removes it.
  virtual void set_pass_events(PassEvents* events) noexcept = 0;
  /// The next pass starts at once, without waiting: there is work left that no socket will announce.
  virtual void request_pass() noexcept = 0;
  /// From any thread: a pass will begin soon, and the wake handler runs in it. Wakes coalesce.
  virtual void wake() noexcept = 0;
  virtual void set_wake_handler(std::move_only_function<void()> handler) = 0;

  /// The observer outlives the socket.
  [[nodiscard]] virtual Result<std::unique_ptr<DatagramSocket>> open_datagram(const DatagramOptions& options,
                                                                              DatagramSocket::Events& events) = 0;
  /// `shared_port`: as in DatagramOptions. Pauses by itself while the process is out of descriptors.
  [[nodiscard]] virtual Result<std::unique_ptr<TcpListener>> listen_tcp(const Address& local, bool shared_port,
                                                                        TcpListener::Events& events) = 0;
  /// Begins to connect; watch for writability, then ask connect_error().
  [[nodiscard]] virtual Result<std::unique_ptr<TcpSocket>> connect_tcp(const Address& remote) = 0;
  /// Makes a connection from elsewhere this loop's.
  [[nodiscard]] virtual std::unique_ptr<TcpSocket> adopt_tcp(TcpHandle handle) = 0;

  /// `done` is told from the loop, never from inside this call. An IP literal needs no look-up but is told likewise.
  [[nodiscard]] virtual std::unique_ptr<Resolution> resolve(const HostPort& host, Resolved done) = 0;
};

}  // namespace qmux::io

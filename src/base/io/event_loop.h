// SPDX-License-Identifier: MIT
//
// A worker's interface to the outside. One event loop a worker, one thread. net/ runs it on the kernel, tests/sim on a virtual
// clock.
//
// A pass has one timestamp. Sockets that are ready call their observers, in the order in which they became ready. Then timers
// that are due run. Then the pass observer finishes the work that both have collected. No callback runs inside a call made by its
// receiver.
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
  std::size_t steered_among = 0;  ///< sockets of a shared port: the first byte of a QUIC packet's connection ID names
                                  ///< its socket, in the order of opening; 0: by address
  std::size_t buffer_bytes = 4U << 20U;  ///< to ask for in each direction
  bool fragmentable = false;  ///< IP may fragment a packet larger than the path's MTU. Otherwise the packet is lost or
                              ///< SendStatus::too_large, as QUIC needs to find the path's MTU
};

/// A look-up in progress. Destroying it cancels it without a callback.
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
    /// All callbacks of this pass have run. Where work remains, call request_pass().
    virtual void end_of_pass(Time now) = 0;

   protected:
    ~PassEvents() = default;
  };

  /// Follows the network of this machine.
  class NetworkEvents {
   public:
    /// Addresses, links or routes may have changed: a hint, for all that changed within a short time.
    virtual void network_changed() = 0;

   protected:
    ~NetworkEvents() = default;
  };

  virtual ~EventLoop() = default;

  /// The timestamp of the current pass; the same all through it, never decreasing.
  [[nodiscard]] virtual Time now() const noexcept = 0;
  /// The processor time of the loop's thread, from an arbitrary start. Only to measure the cost of work. A simulated pass takes
  /// no time.
  [[nodiscard]] virtual Time clock() const noexcept { return now(); }
  /// Seconds since 1970-01-01 UTC, for messages that carry a time.
  [[nodiscard]] virtual std::int64_t unix_seconds() const noexcept = 0;
  [[nodiscard]] virtual Random& random() noexcept = 0;
  [[nodiscard]] virtual TimerQueue& timers() noexcept = 0;

  /// One observer a loop; nullptr removes it.
  virtual void set_pass_events(PassEvents* events) noexcept = 0;
  /// The next pass starts at once, without waiting, because work is left that no socket will announce.
  virtual void request_pass() noexcept = 0;
  /// Any thread. A pass begins soon and runs the wake handler. Wakes coalesce.
  virtual void wake() noexcept = 0;
  virtual void set_wake_handler(std::move_only_function<void()> handler) = 0;

  /// One observer a loop; nullptr removes it. Where the network cannot be followed, it is never notified.
  virtual void set_network_events(NetworkEvents* events) = 0;

  /// The observer outlives the socket.
  [[nodiscard]] virtual Result<std::unique_ptr<DatagramSocket>> open_datagram(const DatagramOptions& options,
                                                                              DatagramSocket::Events& events) = 0;
  /// `shared_port`: as in DatagramOptions. Pauses accepting while the process is out of descriptors.
  [[nodiscard]] virtual Result<std::unique_ptr<TcpListener>> listen_tcp(const Address& local, bool shared_port,
                                                                        TcpListener::Events& events) = 0;
  /// Begins to connect; watch for writability, then ask connect_error().
  [[nodiscard]] virtual Result<std::unique_ptr<TcpSocket>> connect_tcp(const Address& remote) = 0;
  /// Moves a detached connection into this loop.
  [[nodiscard]] virtual std::unique_ptr<TcpSocket> adopt_tcp(TcpHandle handle) = 0;

  /// `done` runs from the loop, never inside this call; so does that of an IP literal, which needs no look-up.
  [[nodiscard]] virtual std::unique_ptr<Resolution> resolve(const HostPort& host, Resolved done) = 0;
};

}  // namespace qmux::io

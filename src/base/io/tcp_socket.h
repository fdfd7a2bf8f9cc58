// SPDX-License-Identifier: MIT
//
// A TCP connection (RFC 9293) with readiness callbacks, so that a waiting socket needs no buffer. net/ implements it over the
// kernel, tests/sim over a virtual network.
//
// Nothing blocks; one thread. Destroying a socket closes it: in order when both directions have ended, otherwise with a reset
// (RST). So a stream that was cut never looks complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"

namespace qmux::io {

enum class IoStatus : std::uint8_t {
  done,         ///< `count` > 0 bytes were moved
  would_block,  ///< nothing now; watch() reports when to try again
  end,          ///< read only: the peer sent FIN; once, after the last byte
  reset,  ///< the connection is lost (RST or any other error). Of a read: everything received before has been read. Of a write:
          ///< data received before may still be unread
};

struct IoResult {
  IoStatus status;
  std::size_t count = 0;
};

/// The readiness to wait for; flags.
enum class Interest : std::uint8_t { none = 0, read = 1, write = 2 };
constexpr Interest operator|(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(Interest set, Interest flag) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(flag)) != 0;
}

/// Called from the loop, never inside a call to the socket.
class TcpSocketEvents {
 public:
  /// Reading may make progress: data, FIN or reset. The read interest is used up; watch() sets it again.
  virtual void socket_readable() = 0;
  /// Writing may make progress (a connecting socket: the attempt has ended). The write interest is used up.
  virtual void socket_writable() = 0;
  /// The connection was reset, whatever the interest. Called at most once for each new observer. Data received before may still
  /// be unread.
  virtual void socket_reset() = 0;

 protected:
  ~TcpSocketEvents() = default;
};

/// A connected TCP socket that belongs to no event loop: a value that may move to another worker. A handle that is destroyed
/// without being adopted resets its connection.
class TcpHandle {
 public:
  using Close = void (*)(int id) noexcept;
  TcpHandle() noexcept = default;
  /// `id` is a descriptor, or another identifier that the maker of the handle uses. `close` resets and closes the socket.
  TcpHandle(int id, Close close) noexcept : id_(id), close_(close) {}
  TcpHandle(TcpHandle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  TcpHandle& operator=(TcpHandle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~TcpHandle() {
    if (id_ >= 0) close_(id_);
  }
  [[nodiscard]] bool valid() const noexcept { return id_ >= 0; }
  /// Gives the socket up to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(id_, -1); }

 private:
  int id_ = -1;
  Close close_ = nullptr;
};

class TcpSocket {
 public:
  virtual ~TcpSocket() = default;

  /// Reads into the spans in order. A count smaller than the room means that no more data is available now.
  virtual IoResult read(std::span<const MutableBytes> into) = 0;
  /// Writes from the spans in order; `done` with the count taken, which may be less than offered.
  virtual IoResult write(std::span<const ConstBytes> from) = 0;
  /// Sends FIN after the bytes written. Reading may continue.
  virtual void shutdown_write() = 0;
  /// Sends RST and drops unsent bytes. The socket may only be destroyed afterwards.
  virtual void abort() = 0;

  /// From now on `events` is notified, once, of each readiness in `interest`. This replaces the earlier interest. A reset is
  /// reported whatever the interest. nullptr: no notification.
  virtual void watch(Interest interest, TcpSocketEvents* events) = 0;

  /// From now on a far end that has vanished silently counts as a reset of the connection. After `idle` without anything received
  /// a probe is sent, and again after each further `idle`. After limits::kTcpProbesMax unanswered probes in a row the far end is
  /// considered dead. Data that waits to be acknowledged is its own probe, for the same time. A far end that answers may be
  /// silent for ever.
  virtual void keep_alive(Duration idle) = 0;

  /// Bytes written and not acknowledged by the far end (SND.NXT - SND.UNA of RFC 9293, and bytes that wait to be sent).
  [[nodiscard]] virtual std::size_t unacknowledged_bytes() const = 0;

  /// For a connecting socket after socket_writable(): nothing when connected, otherwise the reason ("connection refused").
  [[nodiscard]] virtual std::optional<std::string> connect_error() = 0;

  [[nodiscard]] virtual Address local_address() const = 0;
  [[nodiscard]] virtual Address remote_address() const = 0;

  /// Takes the connection out of this loop. The socket is empty afterwards and may only be destroyed.
  [[nodiscard]] virtual TcpHandle detach() = 0;
};

/// Accepts connections on one address.
class TcpListener {
 public:
  /// Called from the loop for every accepted connection.
  class Events {
   public:
    virtual void accepted(TcpHandle visitor, const Address& remote, const Address& local) = 0;

   protected:
    ~Events() = default;
  };
  /// A connection that was not accepted yet.
  struct Waiting {
    TcpHandle handle;
    Address remote;
    Address local;
  };
  virtual ~TcpListener() = default;
  [[nodiscard]] virtual Address local_address() const = 0;
  /// Takes the connections that wait to be accepted: before the listener is destroyed, which resets them.
  [[nodiscard]] virtual std::vector<Waiting> take_waiting() = 0;
};

}  // namespace qmux::io

// SPDX-License-Identifier: MIT
//
// A TCP connection (RFC 9293) as the tunnel sees it: by readiness, so that nothing is tied up while waiting. net/
// implements it over the kernel, tests/sim over a virtual network.
//
// Nothing blocks; one thread. Destroying a socket closes it: orderly when both directions have ended, with a reset (RST)
// otherwise, so that a stream cut short never looks complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"

namespace qmux::io {

enum class IoStatus : std::uint8_t {
  done,         ///< `count` > 0 bytes were moved
  would_block,  ///< nothing now; watch() tells when to try again
  end,          ///< read only: the peer sent FIN; once, after the last byte
  reset,  ///< the connection is gone (RST or any other error). Of a read: everything that came before has been read. Of a
          ///< write: what came before may still be there to be read
};

struct IoResult {
  IoStatus status;
  std::size_t count = 0;
};

/// Which readiness an events waits for; flags.
enum class Interest : std::uint8_t { none = 0, read = 1, write = 2 };
constexpr Interest operator|(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(Interest set, Interest flag) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(flag)) != 0;
}

/// Told from the loop, never from inside a call to the socket.
class TcpSocketEvents {
 public:
  /// Reading may make progress: data, FIN or reset. The read interest is spent; watch() again to hear again.
  virtual void socket_readable() = 0;
  /// Writing may make progress (a connecting socket: the attempt has ended). The write interest is spent.
  virtual void socket_writable() = 0;
  /// The connection was reset, whatever the interest. Told at most once. What came before may still be there to be read.
  virtual void socket_reset() = 0;

 protected:
  ~TcpSocketEvents() = default;
};

/// A connected TCP socket that belongs to no event loop: a value that may cross workers. What nobody adopts is reset.
class TcpHandle {
 public:
  using Close = void (*)(int id) noexcept;
  TcpHandle() noexcept = default;
  /// `id` is a descriptor, or whatever the maker of the handle knows the socket by; `close` resets and closes it.
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

  /// Reads into the spans in order. A count smaller than the room means that no more is there now.
  virtual IoResult read(std::span<const MutableBytes> into) = 0;
  /// Writes from the spans in order; `done` with the count taken, which may be less than offered.
  virtual IoResult write(std::span<const ConstBytes> from) = 0;
  /// Sends FIN after what was written; reading goes on.
  virtual void shutdown_write() = 0;
  /// Sends RST and drops what was not sent. Nothing but destruction follows.
  virtual void abort() = 0;

  /// From now on `events` is told, once, of each readiness in `interest`; replaces the earlier interest. A reset is told
  /// to any events. nullptr: nobody is told.
  virtual void watch(Interest interest, TcpSocketEvents* events) = 0;

  /// From now on it is noticed when the far end is gone without a word, as if it had reset the connection: when nothing has
  /// come from it for `idle` it is asked, and again after each further `idle`; limits::kTcpProbesMax unanswered ones in a row
  /// are the end. What waits to be acknowledged asks by itself, for as long. A far end that answers may be silent for ever.
  virtual void keep_alive(Duration idle) = 0;

  /// Written, and not acknowledged by the far end (SND.NXT - SND.UNA of RFC 9293, and what waits to be sent).
  [[nodiscard]] virtual std::size_t unacknowledged_bytes() const = 0;

  /// Of a connecting socket after socket_writable(): nothing when connected, else why not ("connection refused").
  [[nodiscard]] virtual std::optional<std::string> connect_error() = 0;

  [[nodiscard]] virtual Address local_address() const = 0;
  [[nodiscard]] virtual Address remote_address() const = 0;

  /// Takes the connection out of this loop; the socket is empty afterwards and only to be destroyed.
  [[nodiscard]] virtual TcpHandle detach() = 0;
};

/// Accepts connections on one address.
class TcpListener {
 public:
  /// Told from the loop for every accepted connection.
  class Events {
   public:
    virtual void accepted(TcpHandle visitor, const Address& remote, const Address& local) = 0;

   protected:
    ~Events() = default;
  };
  virtual ~TcpListener() = default;
  [[nodiscard]] virtual Address local_address() const = 0;
};

}  // namespace qmux::io

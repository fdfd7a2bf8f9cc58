// SPDX-License-Identifier: MIT
//
// A TCP connection between two hosts: the handshake, two pipes, and the states of its two ends. It models the semantics of
// TCP that a program can see (RFC 9293 through the socket interface): refusal, timeout, backlog, bounded buffers, half-close,
// reset; not its segments.
//
// One thread. Owned by the Network; goes once both ends are closed and nothing is under way. An end is held by a socket, by
// a listener's backlog or by a TcpHandle; each holder calls close() exactly once, or passes the end on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/io/tcp_socket.h"
#include "base/timer_queue.h"
#include "sim/world/tcp_pipe.h"

namespace qmux::sim {

class Host;
class World;

enum class TcpSide : std::uint8_t { client = 0, server = 1 };

class TcpConnection final : private TcpPipe::Events {
 public:
  /// What is notified of an end. At most one an end; may be none.
  class EndObserver {
   public:
    virtual void end_readable() = 0;
    virtual void end_writable() = 0;
    virtual void end_reset() = 0;

   protected:
    ~EndObserver() = default;
  };

  TcpConnection(World& world, std::uint64_t id, const TcpProperties& properties, Host& client, const Address& remote);
  ~TcpConnection();

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  void observe(TcpSide side, EndObserver* events) noexcept { end(side).observer = events; }

  io::IoResult read(TcpSide side, MutableBytes into);
  io::IoResult write(TcpSide side, ConstBytes bytes);
  void shutdown_write(TcpSide side);
  void abort(TcpSide side);
  /// The end is given up: orderly when both directions have ended there, with a reset otherwise.
  void close(TcpSide side);

  /// io::TcpSocket::keep_alive(): the far end's host is asked every `idle`, data under way or not.
  void keep_alive(TcpSide side, Duration idle);

  [[nodiscard]] bool connecting() const noexcept { return state_ == State::connecting; }
  [[nodiscard]] const std::optional<std::string>& connect_error() const noexcept { return connect_error_; }
  [[nodiscard]] bool readable(TcpSide side) noexcept;
  [[nodiscard]] std::size_t readable_bytes(TcpSide side) noexcept { return incoming(side).received_bytes(); }
  [[nodiscard]] std::size_t unacknowledged_bytes(TcpSide side) noexcept {
    return outgoing(side).unacknowledged_bytes();
  }
  [[nodiscard]] bool writable(TcpSide side) noexcept;
  [[nodiscard]] bool was_reset(TcpSide side) noexcept { return end(side).reset; }
  [[nodiscard]] const Address& local_address(TcpSide side) const noexcept { return address_[static_cast<int>(side)]; }
  [[nodiscard]] const Address& remote_address(TcpSide side) const noexcept {
    return address_[1 - static_cast<int>(side)];
  }

  /// Makes the end a value without an owner.
  [[nodiscard]] io::TcpHandle to_handle(TcpSide side);
  struct EndId {
    TcpConnection* connection;
    TcpSide side;
  };
  [[nodiscard]] static EndId from_handle(io::TcpHandle handle);

 private:
  enum class State : std::uint8_t { connecting, established, failed };
  struct End {
    EndObserver* observer = nullptr;
    bool open = false;
    bool reset = false;
    bool end_reported = false;
    Duration probe_interval{};
    int unanswered_probes = 0;
    std::optional<Timer> probe{};
  };

  void send_syn();
  void syn_arrives();
  void fail_connect(std::string why);
  void connected();
  void probe(TcpSide side);
  /// A packet from either host reaches the other now.
  [[nodiscard]] bool reachable() const;

  void pipe_readable(TcpPipe& pipe) override;
  void pipe_writable(TcpPipe& pipe) override;
  void pipe_reset(TcpPipe& pipe) override;
  [[nodiscard]] bool pipe_blocked(const TcpPipe& pipe) const override;

  [[nodiscard]] End& end(TcpSide side) noexcept { return ends_[static_cast<int>(side)]; }
  /// The pipe that `side` writes into.
  [[nodiscard]] TcpPipe& outgoing(TcpSide side) noexcept { return side == TcpSide::client ? up_ : down_; }
  [[nodiscard]] TcpPipe& incoming(TcpSide side) noexcept { return side == TcpSide::client ? down_ : up_; }
  void drop_if_over();

  World& world_;
  const std::uint64_t id_;
  const TcpProperties properties_;
  Host& client_;
  Host* server_;
  Address address_[2];
  State state_ = State::connecting;
  std::optional<std::string> connect_error_;
  Time connect_deadline_;
  End ends_[2];
  Link& up_link_;
  Link& down_link_;
  TcpPipe up_;
  TcpPipe down_;
  Timer handshake_;
  std::move_only_function<void()> handshake_step_;
  bool discarded_ = false;
};

}  // namespace qmux::sim

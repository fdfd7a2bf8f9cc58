// SPDX-License-Identifier: MIT
//
// A tunnel's data path: carries bytes between one TCP socket and one QUIC stream until both directions have ended. It has no
// buffer of its own; the socket reads into the stream's send chunks and writes from its receive chunks. A side that cannot
// take more stops the reading of the other.
//
//   socket            stream                      stream            socket
//   bytes        ->   bytes                       bytes        ->   bytes
//   FIN          ->   FIN                         FIN          ->   FIN
//   RST          ->   RESET_STREAM, STOP_SENDING  RESET_STREAM ->   RST
//   RST after FIN ->  STOP_SENDING                STOP_SENDING ->   RST, once FIN and what is before it got through
//   both sides FIN:   the relay has ended; the stream alone still delivers what is under way
//
// A reset follows the bytes before it and does not overtake them: RESET_STREAM goes out once they are acknowledged, RST once
// the socket's far end has acknowledged them (LastBytes). A tunnel that ends for another reason than TCP's (a lost connection,
// a limit, its owner) resets both sides at once.
//
// relay.cpp carries bytes and FIN, relay_resets.cpp ends a tunnel in a reset, and relay_go_peer.cpp is for Go peers alone.
//
// Made by a session, which destroys it once it has ended. One thread. Works only when the event loop or the stream
// notifies it, never from inside a call of its owner.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/call_guard.h"
#include "base/io/event_loop.h"
#include "base/io/tcp_socket.h"
#include "quic/stream.h"
#include "tunnel/relay/last_bytes.h"
#include "tunnel/relay/memory_budget.h"

namespace qmux::tunnel {

class GoClientRules;
class Relay;

/// What relays at the other end of the stream.
enum class RelayPeer : std::uint8_t {
  exact,      ///< keeps the directions apart, as this relay does
  go_client,  ///< ends both directions at the first FIN; appends a ConnClose to what it sends
  go_server,  ///< ends both directions at the first FIN
};

/// What is known of the peer's service.
enum class RelayService : std::uint8_t {
  unknown,       ///< the first bytes that reach the socket show that it was reached
  ack_expected,  ///< the peer's first byte is to acknowledge it (capability conn-ack)
  reached,       ///< and the owner knows
};

struct RelayOptions {
  RelayPeer peer = RelayPeer::exact;
  std::uint64_t conn_id = 0;  ///< NewConn's; what a Go client's ConnClose is known by
  RelayService service = RelayService::unknown;
  bool socket_finished = false;       ///< the socket's FIN was read, and stream.finish() called
  std::uint64_t bytes_to_stream = 0;  ///< already read from the socket and committed; added to RelayEnd's
};

/// How a relay ended, and what it carried.
struct RelayEnd {
  enum class Cause : std::uint8_t {
    complete,         ///< FIN both ways
    socket_reset,     ///< the TCP connection was reset
    dial_failed,      ///< the peer could not reach its service
    peer_reset,       ///< RESET_STREAM from the peer with any other code
    peer_stopped,     ///< the peer's side took less than the socket sent: STOP_SENDING, or a Go peer's end
    stuck,            ///< evicted by the MemoryBudget
    protocol_error,   ///< the peer's first byte was no acknowledgement
    connection_lost,  ///< the owner called connection_lost()
    aborted,          ///< the owner called abort()
    taken_back,       ///< there was no relay: another client may serve the visitor
  };
  Cause cause = Cause::complete;
  std::uint64_t peer_code = 0;        ///< of peer_reset: its application error code
  std::uint64_t bytes_to_stream = 0;  ///< read from the socket and committed to the stream
  std::uint64_t bytes_to_socket = 0;  ///< written to the socket
  bool cut = false;                   ///< the last bytes before a reset did not get through in time
};

/// The owner. Never notified from inside a call that it makes to the relay.
class RelayEvents {
 public:
  /// Once, unless known before: the peer has reached its service. It says so, or the first bytes that reach the socket show it.
  /// The relay goes on; it must not be ended or destroyed from here.
  virtual void relay_acknowledged(Relay& relay) = 0;
  /// Once, and the last event: socket and stream are no longer used. The relay may be destroyed from here.
  virtual void relay_ended(Relay& relay, const RelayEnd& end) = 0;

 protected:
  ~RelayEvents() = default;
};

class Relay final : private io::TcpSocketEvents, private quic::StreamEvents, private MemoryBudget::Holder {
 public:
  /// Takes over a connected socket and a stream that nothing else uses any more; what arrived before is relayed too.
  Relay(io::EventLoop& loop, MemoryBudget& budget, std::unique_ptr<io::TcpSocket> socket, quic::Stream& stream,
        RelayEvents& events, const RelayOptions& options);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// As abort(ErrorCode::internal), unless it has ended.
  ~Relay();

  /// The owner ends it, before relay_ended(), which will not be called: RST to the socket, RESET_STREAM and STOP_SENDING with
  /// `code` to the peer.
  RelayEnd abort(quic::ErrorCode code);
  /// Likewise when the connection is gone: RST to the socket; the stream is not touched any more.
  RelayEnd connection_lost();

 private:
  /// The direction from the socket to the stream.
  enum class Upstream : std::uint8_t {
    open,
    fin_held,    ///< the socket has sent FIN, but a Go client would end both directions on it
    finished,    ///< FIN was committed
    discarding,  ///< the peer takes no more: what the socket still sends is dropped
    discarded,   ///< and now the socket has sent FIN
    cut,         ///< the socket was reset, and what it sent before was read; or the far socket was reset
  };
  /// The direction from the stream to the socket.
  enum class Downstream : std::uint8_t {
    open,
    finished,  ///< FIN went to the socket
    dropping,  ///< the socket was reset: what still comes is dropped
  };

  // io::TcpSocketEvents
  void socket_readable() override;
  void socket_writable() override;
  void socket_reset() override;
  // quic::StreamEvents
  void stream_readable(quic::Stream& stream) override;
  void stream_writable(quic::Stream& stream) override;
  void stream_send_done(quic::Stream& stream) override;
  // MemoryBudget::Holder
  bool has_progressed() override;
  void evicted() override;

  // Each of these says whether the relay goes on. If not, it may be destroyed already.
  [[nodiscard]] bool pump_to_stream();
  [[nodiscard]] bool pump_to_socket();
  [[nodiscard]] bool write_some(std::span<ConstBytes> views);
  [[nodiscard]] bool discard();
  [[nodiscard]] bool take_ack();
  [[nodiscard]] bool check_stopped();
  [[nodiscard]] bool peer_was_reset();
  [[nodiscard]] bool socket_lost();
  [[nodiscard]] bool lost_after_fin();
  [[nodiscard]] bool socket_cut();
  [[nodiscard]] bool await_last_bytes();
  [[nodiscard]] bool go_peer_finished();

  void socket_finished();
  void finish_upstream();
  void return_credit();
  void service_reached();
  void settle();
  [[nodiscard]] bool both_finished() const noexcept;
  void stop_waiting(io::Interest event) noexcept;
  void watch();

  // Resets (relay_resets.cpp).
  void peer_stopped();
  void cut_upstream();
  [[nodiscard]] bool is_ending(LastBytes::Way way) const noexcept;
  void begin_last_bytes(LastBytes::Way way);
  [[nodiscard]] std::size_t last_bytes_left() const;

  // Go peers (relay_go_peer.cpp).
  void hold_fin();
  void held_fin_due();
  void tail_due();
  [[nodiscard]] bool go_peer_works() const noexcept;

  void end(RelayEnd::Cause cause);
  RelayEnd close(RelayEnd::Cause cause, quic::ErrorCode code);
  void let_go_of_stream(RelayEnd::Cause cause, quic::ErrorCode code);

  io::EventLoop& loop_;
  RelayEvents& events_;
  CallGuard guard_;
  std::unique_ptr<io::TcpSocket> socket_;
  quic::Stream* stream_;                      ///< nullptr: ended
  std::unique_ptr<GoClientRules> go_client_;  ///< only for such a peer
  std::unique_ptr<LastBytes> last_bytes_;     ///< only once it is to end in a reset
  std::uint64_t bytes_to_stream_ = 0;
  std::uint64_t bytes_to_socket_ = 0;
  std::uint64_t bytes_taken_seen_ = 0;  ///< of those: what the far end had taken when we looked last
  std::uint32_t discarded_bytes_ = 0;
  std::uint32_t withheld_credit_bytes_ = 0;   ///< taken by the socket, not yet given back to the stream
  io::Interest wanted_ = io::Interest::read;  ///< what we wait for
  std::optional<io::Interest> watched_;       ///< what the socket knows of that; nothing once some of it is spent
  const RelayPeer peer_;
  Upstream upstream_ = Upstream::open;
  Downstream downstream_ = Downstream::open;
  RelayService service_;
  bool progressed_ = false;       ///< the socket has taken something in this call
  bool peer_lost_bytes_ = false;  ///< the peer did not take all that the socket sent
  bool cut_ = false;              ///< RelayEnd::cut
};

}  // namespace qmux::tunnel

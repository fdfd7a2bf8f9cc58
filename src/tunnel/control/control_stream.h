// SPDX-License-Identifier: MIT
//
// The control stream of a session (docs/PROTOCOL.md): messages both ways and heartbeats. Detects a peer that is silent or
// violates the protocol.
//
// Owned by a session; one thread. It must not be destroyed inside ControlEvents. Its destructor releases the stream, unless
// connection_lost() was called before.
#pragma once

#include <cstdint>
#include <string>

#include "base/call_guard.h"
#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "base/token_bucket.h"
#include "quic/stream.h"
#include "tunnel/options.h"
#include "wire/message_reader.h"
#include "wire/messages.h"

namespace qmux::tunnel {

/// Why a control stream has failed.
struct ControlFailure {
  enum class Kind : std::uint8_t {
    ended,      ///< FIN or reset: it must live as long as the connection
    malformed,  ///< not a message
    flood,      ///< more messages than the limit
    silent,     ///< neither a message nor data for the health timeout
  };
  Kind kind;
  std::string text;  ///< for people; holds nothing that the peer sent
};

/// Never called inside a call that the owner makes to the control stream.
class ControlEvents {
 public:
  /// A message of a known type. False: it is out of order; control_failed() follows.
  [[nodiscard]] virtual bool control_message(const wire::Message& message) = 0;
  /// Called once; no message follows.
  virtual void control_failed(const ControlFailure& failure) = 0;
  /// After finish(): the peer has received everything, or has stopped reading.
  virtual void control_finished() = 0;
  /// Called at any time: when stream data or a datagram of the peer last arrived, or anything of it after a silence.
  [[nodiscard]] virtual Time last_data() const = 0;

 protected:
  ~ControlEvents() = default;
};

class ControlStream final : private quic::StreamEvents {
 public:
  ControlStream(io::EventLoop& loop, quic::Stream& stream, const HealthOptions& health, ControlEvents& events);
  ControlStream(const ControlStream&) = delete;
  ControlStream& operator=(const ControlStream&) = delete;
  ~ControlStream();

  void send(const wire::Message& message);
  /// Sends about `bytes` of padding, unless there is a backlog.
  void send_padding(std::size_t bytes);
  /// The peer has not acknowledged for some time: messages that can wait should wait.
  [[nodiscard]] bool has_backlog() const noexcept;
  /// Once, besides those that are sent by themselves.
  void send_heartbeat();
  /// From now on: a heartbeat every interval. The peer is considered dead when neither a message nor data arrives for the
  /// timeout, or no message for limits::kHealthTimeoutsWithoutMessage timeouts.
  void start_heartbeats();
  /// Applies from now on.
  void set_health(const HealthOptions& health);
  /// Ends our direction. Nothing more is sent or awaited.
  void finish();
  /// The stream has been destroyed with its connection.
  void connection_lost() noexcept;

 private:
  void stream_readable(quic::Stream& stream) override;
  void stream_writable(quic::Stream& stream) override;
  void stream_send_done(quic::Stream& stream) override;

  /// Reads one message from the stream. False when there is none now.
  bool read_message();
  void beat();
  void check_silence();
  void fail(ControlFailure::Kind kind, std::string text);

  io::EventLoop& loop_;
  quic::Stream* stream_;
  HealthOptions health_;
  ControlEvents& events_;
  CallGuard guard_;
  wire::MessageReader reader_;
  TokenBucket allowed_;
  Timer heartbeat_due_;
  Timer silence_;
  Time last_message_{};
  bool ended_ = false;  ///< failed or finishing: further messages of the peer are ignored
};

}  // namespace qmux::tunnel

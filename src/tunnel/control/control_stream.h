// SPDX-License-Identifier: MIT
//
// The control stream of a session (docs/PROTOCOL.md): messages both ways, heartbeats, and the end of a peer that is silent
// or does not keep the protocol.
//
// Owned by a session; one thread. It may not be destroyed from inside ControlEvents. It lets go of its stream when it is
// destroyed, unless connection_lost() was called before.
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

/// Why a control stream is of no more use.
struct ControlFailure {
  enum class Kind : std::uint8_t {
    ended,      ///< FIN or reset: it should live as long as the connection
    malformed,  ///< not a message
    flood,      ///< more messages than anyone needs
    silent,     ///< neither a message nor data for the health timeout
  };
  Kind kind;
  std::string text;  ///< for people; holds nothing that the peer sent
};

/// Never called from inside a call that the owner makes to the control stream.
class ControlEvents {
 public:
  /// A message of a known type.
  virtual void control_message(const wire::Message& message) = 0;
  /// Told once; no message follows.
  virtual void control_failed(const ControlFailure& failure) = 0;
  /// After finish(): the peer has everything, or wants nothing more.
  virtual void control_finished() = 0;
  /// Asked at any time: when stream data or a datagram of the peer last came.
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
  /// About so many bytes that mean nothing, unless there is a backlog.
  void send_padding(std::size_t bytes);
  /// The peer acknowledges nothing for a while: what can wait should.
  [[nodiscard]] bool has_backlog() const noexcept;
  /// From now on: a heartbeat every interval. The peer is considered dead when neither a message nor data comes from it for the
  /// timeout, or no message for limits::kHealthTimeoutsWithoutMessage of them.
  void start_heartbeats();
  /// Ends our direction; nothing is sent or awaited any more.
  void finish();
  /// The stream is gone, with its connection.
  void connection_lost() noexcept;

 private:
  void stream_readable(quic::Stream& stream) override;
  void stream_writable(quic::Stream& stream) override;
  void stream_send_done(quic::Stream& stream) override;

  /// Takes one message off the stream; false when there is none now.
  bool read_message();
  void beat();
  void check_silence();
  void fail(ControlFailure::Kind kind, std::string text);

  io::EventLoop& loop_;
  quic::Stream* stream_;
  const HealthOptions health_;
  ControlEvents& events_;
  CallGuard guard_;
  wire::MessageReader reader_;
  TokenBucket allowed_;
  Timer heartbeat_due_;
  Timer silence_;
  Time last_message_{};
  bool ended_ = false;  ///< failed or finishing: what the peer still says is not heard
};

}  // namespace qmux::tunnel

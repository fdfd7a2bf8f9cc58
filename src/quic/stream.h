// SPDX-License-Identifier: MIT
//
// One bidirectional QUIC stream (RFC 9000 section 2): what is to be sent until it is acknowledged, and what was received
// until it is consumed. The bytes live in chunks of the worker's pool; an idle stream owns none.
//
// Owned by its Connection; one thread. An owner (relay, control session) holds a reference from the moment it learns of the
// stream until it calls release(), or until the connection's closed() event, after which no stream of it may be touched.
// StreamEvents are told from Connection::deliver_events() only, never from inside a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/chunk.h"
#include "quic/close_cause.h"
#include "quic/send_buffer.h"
#include "quic/stream_schedule.h"

namespace qmux::quic {

class Stream;

/// What a stream tells its owner.
class StreamEvents {
 public:
  /// New bytes, FIN or a reset are there to be seen. Told again only after more has arrived.
  virtual void stream_readable(Stream& stream) = 0;
  /// After send_room() gave nothing: there is room again. Also told when the peer no longer wants what we send: see
  /// send_stopped().
  virtual void stream_writable(Stream& stream) = 0;
  /// After finish(): every byte has been acknowledged and FIN is on its way; or nothing more can be sent. After
  /// notify_acknowledged(): every byte has been acknowledged.
  virtual void stream_send_done(Stream& stream) = 0;

 protected:
  ~StreamEvents() = default;
};

/// What a stream asks of its connection.
class StreamHost {
 public:
  virtual void stream_has_data(Stream& stream) = 0;                      ///< bytes or FIN wait to be sent
  virtual void stream_consumed(Stream& stream, std::size_t bytes) = 0;   ///< give stream credit for these back
  virtual void stream_reset(Stream& stream, ErrorCode code) = 0;         ///< send RESET_STREAM
  virtual void stream_stop_reading(Stream& stream, ErrorCode code) = 0;  ///< send STOP_SENDING
  virtual void stream_has_events(Stream& stream) = 0;                    ///< tell what is pending, soon
  virtual void stream_released(Stream& stream) = 0;                      ///< its owner is gone
  /// How many unsent bytes the stream may hold now: follows the congestion window and the stream's credit.
  [[nodiscard]] virtual std::size_t unsent_bytes_max(const Stream& stream) const = 0;

 protected:
  ~StreamHost() = default;
};

class Stream {
 public:
  Stream(StreamHost& host, ChunkPool& pool, std::int64_t id) noexcept;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] std::int64_t id() const noexcept { return id_; }
  /// Who is told from now on; nullptr: nobody. What arrived before is told too.
  void set_events(StreamEvents* events) noexcept;

  /// What it sends goes before everything else of the connection. For a stream whose messages are few and small; called
  /// before anything is sent.
  void set_urgent() noexcept { turn_.urgent = true; }

  // --- sending ---

  /// Room to put bytes to send into, at most `bytes_max`: returns how many of `out` were filled in; 0 when the stream may hold
  /// no more for now. Followed by commit() before anything else.
  std::size_t send_room(std::size_t bytes_max, std::span<MutableBytes> out);
  /// The first `bytes` of the room are to be sent; kept until acknowledged.
  void commit(std::size_t bytes);
  /// Queues a copy of `bytes`, whatever the bound: for control messages, whose size is bounded elsewhere.
  void send_copy(ConstBytes bytes);
  /// FIN after what was committed. Nothing can be sent afterwards; reset() still can.
  void finish();
  /// stream_send_done() is told, once, when everything committed has been acknowledged. Not told where it has been already.
  void notify_acknowledged() noexcept { acknowledged_wanted_ = send_.size() > 0; }
  /// RESET_STREAM: what was not acknowledged may never arrive. No-op once everything was acknowledged.
  void reset(ErrorCode code);
  /// The peer asked us to stop (STOP_SENDING), or the stream was reset by us: sending makes no sense.
  [[nodiscard]] bool send_stopped() const noexcept { return send_stopped_; }
  /// finish() was called: FIN follows what was committed, or has been sent.
  [[nodiscard]] bool fin_queued() const noexcept { return finish_wanted_; }
  /// Committed and not yet acknowledged.
  [[nodiscard]] std::size_t unacknowledged_bytes() const noexcept { return send_.size(); }

  // --- receiving ---

  /// Views of the bytes received and not consumed, from the front; returns how many of `out` were filled in.
  std::size_t readable(std::span<ConstBytes> out) const noexcept { return received_.peek(out); }
  [[nodiscard]] std::size_t readable_bytes() const noexcept { return received_.size(); }
  /// Drops `bytes` <= readable_bytes() from the front and gives the peer that much stream credit back.
  void consume(std::size_t bytes) {
    drop(bytes);
    return_credit(bytes);
  }
  /// The two halves of consume(), for who wants to let the peer wait: credit that is not returned is lost to the stream.
  void drop(std::size_t bytes) { received_.drop(bytes); }
  void return_credit(std::size_t bytes);
  /// STOP_SENDING: what comes from now on, and what is there, is dropped.
  void stop_reading(ErrorCode code);
  /// FIN has arrived; readable_bytes() holds all that is left.
  [[nodiscard]] bool fin_received() const noexcept { return fin_received_; }
  /// FIN has arrived and every byte before it was consumed.
  [[nodiscard]] bool at_end() const noexcept { return fin_received_ && received_.empty(); }
  /// The code of the peer's RESET_STREAM. What had arrived in order before is still there to be read.
  [[nodiscard]] std::optional<std::uint64_t> reset_received() const noexcept { return reset_received_; }

  /// The owner lets go: nobody is told any more. A direction that has not ended is reset with `internal`; what was
  /// committed before FIN is still delivered.
  void release();

 private:
  friend class Connection;
  friend struct ConnectionCallbacks;
  friend class StreamSchedule;
  friend struct StreamTestAccess;

  /// Events waiting to be told.
  struct Pending {
    bool readable : 1 = false;
    bool writable : 1 = false;
    bool send_done : 1 = false;
    [[nodiscard]] bool any() const noexcept { return readable || writable || send_done; }
  };

  StreamHost& host_;
  StreamEvents* events_ = nullptr;
  const std::int64_t id_;
  SendBuffer send_;
  ChunkQueue received_;
  std::optional<std::uint64_t> reset_received_;
  StreamTurn turn_;
  Pending pending_;
  bool writable_wanted_ : 1 = false;
  bool acknowledged_wanted_ : 1 = false;
  bool finish_wanted_ : 1 = false;
  bool finish_sent_ : 1 = false;
  bool send_done_ : 1 = false;
  bool send_stopped_ : 1 = false;
  bool fin_received_ : 1 = false;
  bool reading_stopped_ : 1 = false;
  bool released_ : 1 = false;
  bool transport_closed_ : 1 = false;  ///< ngtcp2 knows the stream no more
  bool blocked_ : 1 = false;           ///< waits for the peer's stream credit
  bool in_event_queue_ : 1 = false;
  bool being_told_ : 1 = false;  ///< its owner is being told: not to be destroyed now
};

}  // namespace qmux::quic

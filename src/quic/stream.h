// SPDX-License-Identifier: MIT
//
// One bidirectional QUIC stream (RFC 9000 section 2): what is to be sent until it is acknowledged, and what was received
// until it is consumed. The bytes live in chunks of the worker's pool; an idle stream owns none.
//
// Owned by its Connection; one thread. An owner (relay, control session) holds a reference from the moment it learns of the
// stream until it calls release(), or until the connection's closed() event, after which no stream of it may be touched.
// StreamEvents are notified from Connection::deliver_events() only, never from inside a call.
//
// Its state changes in its own member functions only. What the connection calls stands at the end, one function for each thing
// that ngtcp2 reports; a call that only a bug of ours can make is a CHECK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/chunk.h"
#include "quic/close_cause.h"
#include "quic/send_buffer.h"
#include "quic/stream_schedule.h"
#include "quic/stream_state.h"

namespace qmux::quic {

class Stream;

/// What a stream reports to its owner.
class StreamEvents {
 public:
  /// New bytes, FIN or a reset are there to be seen. Reported again only after more has arrived.
  virtual void stream_readable(Stream& stream) = 0;
  /// After send_room() gave nothing: there is room again. Also reported when the peer no longer wants what we send: see
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
  virtual void stream_has_events(Stream& stream) = 0;                    ///< report what is pending, soon
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
  /// Notified from now on; nullptr: no owner. What arrived before is reported too.
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
  /// stream_send_done() is called, once, when everything committed has been acknowledged. Not called where it has been already.
  void notify_acknowledged() noexcept { acknowledged_wanted_ = send_.size() > 0; }
  /// RESET_STREAM: what was not acknowledged may never arrive. No-op once everything was acknowledged.
  void reset(ErrorCode code);
  /// The peer asked us to stop (STOP_SENDING), or the stream was reset by us: sending has no effect.
  [[nodiscard]] bool send_stopped() const noexcept {
    return send_state_ == SendState::reset_sent || send_state_ == SendState::reset_recvd;
  }
  /// finish() was called: FIN follows what was committed, or has been sent.
  [[nodiscard]] bool fin_queued() const noexcept { return fin_queued_; }
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
  /// The two halves of consume(), for an owner that lets the peer wait: credit that is not returned is lost to the stream.
  void drop(std::size_t bytes) {
    received_.drop(bytes);
    note_read();
  }
  void return_credit(std::size_t bytes);
  /// STOP_SENDING: what comes from now on, and what is there, is dropped.
  void stop_reading(ErrorCode code);
  /// FIN has arrived; readable_bytes() holds all that is left.
  [[nodiscard]] bool fin_received() const noexcept { return recv_state_ == RecvState::data_recvd || at_end(); }
  /// FIN has arrived and every byte before it was consumed.
  [[nodiscard]] bool at_end() const noexcept { return recv_state_ == RecvState::data_read; }
  /// The code of the peer's RESET_STREAM. What had arrived in order before is still there to be read.
  [[nodiscard]] std::optional<std::uint64_t> reset_received() const noexcept { return reset_code_; }

  /// The owner lets go: nothing is reported any more. A direction that has not ended is reset with `internal`; what was
  /// committed before FIN is still delivered.
  void release();

  // --- for its connection: sending ---

  [[nodiscard]] SendState send_state() const noexcept { return send_state_; }
  [[nodiscard]] bool is_urgent() const noexcept { return turn_.urgent; }
  /// Bytes or FIN are still to be sent.
  [[nodiscard]] bool has_unsent() const noexcept { return send_.unsent_bytes() > 0 || (fin_queued_ && is_sending()); }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return send_.unsent_bytes(); }
  /// Views of the unsent bytes from the first on, as many as fit; returns how many of `out` were filled in.
  std::size_t unsent(std::span<ConstBytes> out) const noexcept { return send_.unsent(out); }
  /// The first `bytes` of the unsent went into a packet, and FIN after them.
  void sent(std::size_t bytes, bool with_fin);
  /// After sent(): notifies an owner that waits for room, once half of it is free.
  void notify_room();
  /// The peer has acknowledged the first `bytes` of those in flight.
  void acknowledged(std::size_t bytes);
  /// The peer's credit for this stream is spent.
  void block() noexcept { blocked_ = true; }
  /// Bytes wait for the peer's credit. FIN alone needs none.
  [[nodiscard]] bool is_blocked() const noexcept { return blocked_ && send_.unsent_bytes() > 0; }
  /// The peer gives more credit for this stream.
  void credit_received();
  /// STOP_SENDING has come, and ngtcp2 has answered with RESET_STREAM (RFC 9000 section 3.5).
  void stopped_by_peer();
  /// After reset(): ngtcp2 sends none of the bytes again, and refers to none.
  void drop_unacknowledged();

  // --- for its connection: receiving ---

  [[nodiscard]] RecvState recv_state() const noexcept { return recv_state_; }
  /// The next bytes in order, and FIN after them.
  void receive(ConstBytes bytes, bool fin);
  /// RESET_STREAM has come.
  void reset_by_peer(std::uint64_t code);

  // --- for its connection: its life ---

  /// ngtcp2 has closed the stream and forgets it: both halves have ended.
  void closed();
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// Takes a place in the connection's queue of streams with events. False: it has one already.
  [[nodiscard]] bool enter_event_queue() noexcept { return !std::exchange(in_event_queue_, true); }
  [[nodiscard]] bool is_in_event_queue() const noexcept { return in_event_queue_; }
  /// Leaves the queue and notifies the owner of what is pending. The owner may release the stream meanwhile.
  void deliver_events();
  /// Nothing refers to it any more: the connection may destroy it.
  [[nodiscard]] bool disposable() const noexcept { return released_ && closed_ && !delivering_; }

 private:
  friend class StreamSchedule;

  /// Events waiting to be reported.
  struct Pending {
    bool readable = false;
    bool writable = false;
    bool send_done = false;
  };

  void notify(Pending what);
  /// RFC 9000 section 3.1: in the other states nothing new is sent.
  [[nodiscard]] bool is_sending() const noexcept {
    return send_state_ == SendState::ready || send_state_ == SendState::send;
  }
  /// Everything up to FIN is read once the last byte has gone.
  void note_read() noexcept {
    if (recv_state_ == RecvState::data_recvd && received_.empty()) recv_state_ = RecvState::data_read;
  }

  StreamHost& host_;
  StreamEvents* events_ = nullptr;
  const std::int64_t id_;
  SendBuffer send_;
  ChunkQueue received_;
  std::optional<std::uint64_t> reset_code_;  ///< the peer's
  StreamTurn turn_;
  SendState send_state_ = SendState::ready;
  RecvState recv_state_ = RecvState::recv;
  Pending pending_;
  bool fin_queued_ = false;
  bool blocked_ = false;
  bool writable_wanted_ = false;
  bool acknowledged_wanted_ = false;
  bool reading_stopped_ = false;  ///< STOP_SENDING was sent, or nothing was to come: what comes is dropped
  bool closed_ = false;
  bool released_ = false;
  bool in_event_queue_ = false;
  bool delivering_ = false;  ///< its owner is being notified
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// Which of the streams of a connection that have something to send is next, as RFC 8290 (FQ-CoDel) orders flows:
//
//   urgent  always first: the control stream, whose messages are few and small
//   sparse  has sent less than its turn in this round: a new tunnel, the answer to a small request
//   bulk    has used up its turn, and waits for the next round
//
// A round gives every stream one turn. A stream that pauses keeps what is left of its turn for as long as the round lasts, so
// that pausing gains nothing. While bulk streams wait, they get a quarter of what is sent, so that new streams without end do
// not stop them.
//
// Intrusive: entering and leaving allocate nothing. One thread, that of the connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quic/limits.h"

namespace qmux::quic {

class Stream;

/// What the schedule keeps in each stream.
struct StreamTurn {
  enum class Rank : std::uint8_t { urgent, sparse, bulk };

  Stream* next = nullptr;  ///< in the list of its rank
  Stream* previous = nullptr;
  std::uint32_t round = 0;       ///< the round that `left_bytes` belongs to; no round has number 0
  std::uint32_t left_bytes = 0;  ///< of its turn in that round
  Rank rank = Rank::sparse;
  bool queued = false;
  bool urgent = false;  ///< set before the stream first enters
};

class StreamSchedule {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Streams that have something to send.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The stream to send next; nullptr when none has anything.
  [[nodiscard]] Stream* next() noexcept;

  /// The stream has something to send. No-op for one that is here already.
  void add(Stream& stream) noexcept;
  /// It has nothing more to send, or cannot. No-op for one that is not here.
  void remove(Stream& stream) noexcept;
  /// It has sent that much. It stays here.
  void sent(Stream& stream, std::size_t bytes) noexcept;

  /// How much each stream may send in a round, from its next turn on.
  void set_turn_bytes(std::size_t bytes) noexcept { turn_bytes_ = static_cast<std::uint32_t>(bytes); }
  [[nodiscard]] std::size_t turn_bytes() const noexcept { return turn_bytes_; }

 private:
  struct List {
    Stream* first = nullptr;
    Stream* last = nullptr;
  };
  [[nodiscard]] List& list(StreamTurn::Rank rank) noexcept { return lists_[static_cast<std::size_t>(rank)]; }
  void push_back(Stream& stream, StreamTurn::Rank rank) noexcept;
  void unlink(Stream& stream) noexcept;
  void begin_turn(Stream& stream) noexcept;

  std::array<List, 3> lists_;
  std::size_t size_ = 0;
  std::uint32_t round_ = 1;
  std::uint32_t turn_bytes_ = limits::kStreamTurnBytesMax;
  std::size_t sparse_bytes_ = 0;  ///< sent by sparse streams while bulk ones waited, less what those got for it
};

}  // namespace qmux::quic

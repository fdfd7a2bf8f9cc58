// SPDX-License-Identifier: MIT
#include "quic/stream_schedule.h"

#include <algorithm>

#include "quic/stream.h"

namespace qmux::quic {
namespace {

using Rank = StreamTurn::Rank;

/// Bytes that sparse streams send for each byte of bulk streams that wait.
constexpr std::size_t kSparseShare = 3;

}  // namespace

Stream* StreamSchedule::next() noexcept {
  if (Stream* const urgent = list(Rank::urgent).first) return urgent;
  Stream* const sparse = list(Rank::sparse).first;
  Stream* const bulk = list(Rank::bulk).first;
  if (bulk == nullptr || (sparse != nullptr && sparse_bytes_ < kSparseShare * turn_bytes_)) return sparse;
  begin_turn(*bulk);
  return bulk;
}

/// The first of the bulk streams has had its turn in this round: then all have, and the next round begins.
void StreamSchedule::begin_turn(Stream& stream) noexcept {
  StreamTurn& turn = stream.turn_;
  if (turn.round == round_) {
    if (turn.left_bytes > 0) return;
    if (++round_ == 0) round_ = 1;
  }
  turn.round = round_;
  turn.left_bytes = turn_bytes_;
}

void StreamSchedule::add(Stream& stream) noexcept {
  StreamTurn& turn = stream.turn_;
  if (turn.queued) return;
  turn.queued = true;
  ++size_;
  if (turn.urgent) return push_back(stream, Rank::urgent);
  if (turn.round != round_) {
    turn.round = round_;
    turn.left_bytes = turn_bytes_;
  }
  push_back(stream, turn.left_bytes > 0 ? Rank::sparse : Rank::bulk);
}

void StreamSchedule::remove(Stream& stream) noexcept {
  if (!stream.turn_.queued) return;
  unlink(stream);
  stream.turn_.queued = false;
  --size_;
}

void StreamSchedule::sent(Stream& stream, std::size_t bytes) noexcept {
  StreamTurn& turn = stream.turn_;
  if (turn.rank == Rank::urgent) return;
  if (turn.rank == Rank::sparse) {
    // What is sent while no bulk stream waits takes nothing from one.
    sparse_bytes_ = list(Rank::bulk).first != nullptr ? sparse_bytes_ + bytes : 0;
  } else {
    sparse_bytes_ -= std::min(sparse_bytes_, kSparseShare * bytes);
  }
  turn.left_bytes -= static_cast<std::uint32_t>(std::min<std::size_t>(turn.left_bytes, bytes));
  if (turn.left_bytes > 0 || !turn.queued) return;
  unlink(stream);
  push_back(stream, Rank::bulk);
}

void StreamSchedule::push_back(Stream& stream, Rank rank) noexcept {
  List& to = list(rank);
  stream.turn_.rank = rank;
  stream.turn_.next = nullptr;
  stream.turn_.previous = to.last;
  (to.last != nullptr ? to.last->turn_.next : to.first) = &stream;
  to.last = &stream;
}

void StreamSchedule::unlink(Stream& stream) noexcept {
  StreamTurn& turn = stream.turn_;
  List& from = list(turn.rank);
  (turn.previous != nullptr ? turn.previous->turn_.next : from.first) = turn.next;
  (turn.next != nullptr ? turn.next->turn_.previous : from.last) = turn.previous;
}

}  // namespace qmux::quic

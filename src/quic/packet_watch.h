// SPDX-License-Identifier: MIT
//
// Follows one packet at a time until it is acknowledged or considered lost, and notices when nothing at all arrives any more.
//
// After a silence any packet is watched, and an acknowledgement of it or of a later one ends the silence. It begins with one:
// so a peer whose ACK frames are never found leaves it there for ever, which costs no size.
//
// Owned by a PathMtu, one thread; pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/time.h"
#include "quic/ack_frame.h"

namespace qmux::quic {

class PacketWatch {
 public:
  struct Packet {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;   ///< that it might have held
    std::size_t path_bytes = 0;  ///< the largest, as ngtcp2 knew the path
    Time sent_at{};
  };

  /// A packet is being watched.
  [[nodiscard]] bool watching() const noexcept { return state_ == State::unanswered || following(); }
  /// Packets arrive, and one is being watched.
  [[nodiscard]] bool following() const noexcept { return state_ == State::watched || state_ == State::overtaken; }
  /// Packets arrive, and none is being watched.
  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  /// A later packet than the watched one has arrived.
  [[nodiscard]] bool overtaken() const noexcept { return state_ == State::overtaken; }
  /// The watched one; after that, the last one.
  [[nodiscard]] const Packet& packet() const noexcept { return packet_; }

  void begin(const Packet& packet) noexcept {
    CHECK(!watching());
    packet_ = packet;
    state_ = state_ == State::silent ? State::unanswered : State::watched;
  }
  /// True: the watched packet has arrived, and is watched no longer.
  [[nodiscard]] bool ack_received(const AckFrame& ack) noexcept {
    if (!watching()) return false;
    if (ack.acknowledges(packet_.number)) {
      state_ = State::idle;
      return true;
    }
    if (ack.largest() > packet_.number) state_ = state_ == State::unanswered ? State::idle : State::overtaken;
    return false;
  }
  /// The watched packet is to be considered lost: it was sent `timeout` ago or earlier.
  [[nodiscard]] bool overdue(Time now, Duration timeout) const noexcept {
    return following() && now - packet_.sent_at >= timeout;
  }
  /// The packet's fate matters no longer.
  void end() noexcept { state_ = state_ == State::silent || state_ == State::unanswered ? State::silent : State::idle; }
  /// Nothing arrives any more: the packet stays watched until anything does.
  void silence() noexcept {
    CHECK(state_ == State::watched);
    state_ = State::unanswered;
  }

 private:
  enum class State : std::uint8_t {
    silent,      ///< nothing arrives; no packet is watched
    unanswered,  ///< nothing arrives; one is watched
    idle,        ///< packets arrive; none is watched
    watched,     ///< packets arrive; one is watched
    overtaken,   ///< and a later one has arrived
  };

  State state_ = State::silent;
  Packet packet_;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// QUIC frames (RFC 9000 section 19) as bytes: written without any judgement, and read as far as the hostile peer wants to know
// what it is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace qmux::hostile {

enum FrameType : std::uint64_t {
  kPadding = 0x00,
  kPing = 0x01,
  kAck = 0x02,
  kAckEcn = 0x03,
  kResetStream = 0x04,
  kStopSending = 0x05,
  kCrypto = 0x06,
  kNewToken = 0x07,
  kStream = 0x08,  ///< to 0x0f: with the bits for offset (4), length (2), and FIN (1)
  kMaxData = 0x10,
  kMaxStreamData = 0x11,
  kMaxStreamsBidi = 0x12,
  kMaxStreamsUni = 0x13,
  kDataBlocked = 0x14,
  kStreamDataBlocked = 0x15,
  kStreamsBlockedBidi = 0x16,
  kStreamsBlockedUni = 0x17,
  kNewConnectionId = 0x18,
  kRetireConnectionId = 0x19,
  kPathChallenge = 0x1a,
  kPathResponse = 0x1b,
  kConnectionClose = 0x1c,
  kApplicationClose = 0x1d,
  kHandshakeDone = 0x1e,
  kDatagram = 0x30,  ///< and 0x31, with a length
};

/// Appends to a packet's frames.
class Frames {
 public:
  Frames& varint(std::uint64_t value);
  Frames& raw(ConstBytes bytes);
  Frames& fill(std::size_t count, std::uint8_t value);

  /// A frame of integers only.
  template <typename... Values>
  Frames& frame(std::uint64_t type, Values... values) {
    varint(type);
    (varint(static_cast<std::uint64_t>(values)), ...);
    return *this;
  }
  Frames& ping() { return frame(kPing); }
  Frames& ack(std::uint64_t largest, std::uint64_t first_range) { return frame(kAck, largest, 0, 0, first_range); }
  Frames& crypto(std::uint64_t offset, ConstBytes data);
  Frames& stream(std::uint64_t id, std::uint64_t offset, ConstBytes data, bool fin);
  /// The ID is `length` times `value`.
  Frames& new_connection_id(std::uint64_t sequence, std::uint64_t retire_prior_to, std::uint8_t value,
                            std::size_t length = 8);
  Frames& path_frame(FrameType type, ConstBytes data);

  [[nodiscard]] ConstBytes bytes() const noexcept { return bytes_; }
  [[nodiscard]] operator ConstBytes() const noexcept { return bytes_; }  // NOLINT(google-explicit-constructor)

 private:
  std::vector<std::byte> bytes_;
};

/// A frame that has been read: its type, its integers in order, and its bytes.
struct Frame {
  std::uint64_t type = 0;
  std::vector<std::uint64_t> values;
  ConstBytes data;
};

/// Takes a variable-length integer off the front; nullopt: it is cut short.
std::optional<std::uint64_t> take_varint(ConstBytes& from);
/// Takes one frame off the front; nullopt: what is left is none.
std::optional<Frame> take_frame(ConstBytes& from);

}  // namespace qmux::hostile

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

/// Frame types (RFC 9000 section 19). Integers: a hostile peer sends others too.
struct FrameType {
  enum : std::uint64_t {
    padding = 0x00,
    ping = 0x01,
    ack = 0x02,
    ack_ecn = 0x03,
    reset_stream = 0x04,
    stop_sending = 0x05,
    crypto = 0x06,
    new_token = 0x07,
    stream = 0x08,  ///< to 0x0f: with the bits for offset (4), length (2), and FIN (1)
    max_data = 0x10,
    max_stream_data = 0x11,
    max_streams_bidi = 0x12,
    max_streams_uni = 0x13,
    data_blocked = 0x14,
    stream_data_blocked = 0x15,
    streams_blocked_bidi = 0x16,
    streams_blocked_uni = 0x17,
    new_connection_id = 0x18,
    retire_connection_id = 0x19,
    path_challenge = 0x1a,
    path_response = 0x1b,
    connection_close = 0x1c,
    application_close = 0x1d,
    handshake_done = 0x1e,
    datagram = 0x30,  ///< and 0x31, with a length
  };
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
  Frames& ping() { return frame(FrameType::ping); }
  Frames& ack(std::uint64_t largest, std::uint64_t first_range) {
    return frame(FrameType::ack, largest, 0, 0, first_range);
  }
  Frames& crypto(std::uint64_t offset, ConstBytes data);
  Frames& stream(std::uint64_t id, std::uint64_t offset, ConstBytes data, bool fin);
  /// The ID is `length` times `value`.
  Frames& new_connection_id(std::uint64_t sequence, std::uint64_t retire_prior_to, std::uint8_t value,
                            std::size_t length = 8);
  Frames& path_frame(std::uint64_t type, ConstBytes data);

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

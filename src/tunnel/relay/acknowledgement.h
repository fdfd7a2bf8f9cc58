// SPDX-License-Identifier: MIT
//
// A client's acknowledgement that it has reached its local service (capability conn-ack; docs/PROTOCOL.md, section 6).
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "quic/stream.h"

namespace qmux::tunnel {

/// The first byte of its direction of the stream.
inline constexpr std::array kAcknowledgement{std::byte{0}};

/// Takes it off the front of what the stream has received. False: something else is there, or nothing.
[[nodiscard]] inline bool take_acknowledgement(quic::Stream& stream) {
  std::array<ConstBytes, 1> front;
  if (stream.readable(front) == 0 || front[0].empty() || front[0][0] != kAcknowledgement[0]) return false;
  stream.consume(kAcknowledgement.size());
  return true;
}

}  // namespace qmux::tunnel

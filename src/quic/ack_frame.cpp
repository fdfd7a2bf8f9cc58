// SPDX-License-Identifier: MIT
#include "quic/ack_frame.h"

#include <cstddef>

namespace qmux::quic {
namespace {

/// Frame types (RFC 9000 section 19).
enum class FrameType : std::uint8_t {
  padding = 0x00,
  ping = 0x01,
  ack = 0x02,
  ack_with_ecn = 0x03,
  path_challenge = 0x1a,
  path_response = 0x1b,
  handshake_done = 0x1e,
};
constexpr std::size_t kPathFrameBytes = 1 + 8;

/// Takes a variable-length integer (RFC 9000 section 16) off the front. False: it is cut short.
bool take(ConstBytes& from, std::uint64_t& value) noexcept {
  if (from.empty()) return false;
  const auto first = std::to_integer<std::uint8_t>(from[0]);
  const std::size_t bytes = std::size_t{1} << (first >> 6U);
  if (from.size() < bytes) return false;
  value = first & 0x3fU;
  for (std::size_t i = 1; i < bytes; ++i) value = value << 8U | std::to_integer<std::uint64_t>(from[i]);
  from = from.subspan(bytes);
  return true;
}

}  // namespace

std::optional<AckFrame> AckFrame::find(ConstBytes frames) noexcept {
  while (!frames.empty()) {
    const auto type = static_cast<FrameType>(frames[0]);
    if (type == FrameType::ack || type == FrameType::ack_with_ecn) {
      frames = frames.subspan(1);
      AckFrame ack;
      std::uint64_t delay = 0;
      if (!take(frames, ack.largest_) || !take(frames, delay) || !take(frames, ack.range_count_) ||
          !take(frames, ack.first_range_) || ack.first_range_ > ack.largest_) {
        return std::nullopt;
      }
      ack.ranges_ = frames;
      return ack;
    }
    const bool path_frame = type == FrameType::path_challenge || type == FrameType::path_response;
    if (!path_frame && type != FrameType::padding && type != FrameType::ping && type != FrameType::handshake_done)
      return std::nullopt;
    const std::size_t bytes = path_frame ? kPathFrameBytes : 1;
    if (frames.size() < bytes) return std::nullopt;
    frames = frames.subspan(bytes);
  }
  return std::nullopt;
}

bool AckFrame::acknowledges(std::uint64_t packet_number) const noexcept {
  if (packet_number > largest_) return false;
  std::uint64_t smallest = largest_ - first_range_;
  ConstBytes rest = ranges_;
  for (std::uint64_t i = 0; i < range_count_ && packet_number < smallest; ++i) {
    std::uint64_t gap = 0;
    std::uint64_t length = 0;
    if (!take(rest, gap) || !take(rest, length) || smallest < gap + 2) return false;
    const std::uint64_t largest = smallest - gap - 2;
    if (packet_number > largest || length > largest) return false;
    smallest = largest - length;
  }
  return packet_number >= smallest;
}

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "hostile/frames.h"

#include <algorithm>
#include <array>

namespace qmux::hostile {
namespace {

/// How many integers a frame has, and whether the last one is the length of the bytes that follow.
struct Layout {
  std::size_t integers = 0;
  bool bytes_follow = false;
  std::size_t fixed_bytes = 0;
};

std::optional<Layout> layout_of(std::uint64_t type) {
  switch (type) {
    case FrameType::padding:
    case FrameType::ping:
    case FrameType::handshake_done:
      return Layout{};
    case FrameType::reset_stream:
      return Layout{.integers = 3};
    case FrameType::stop_sending:
    case FrameType::max_stream_data:
    case FrameType::stream_data_blocked:
      return Layout{.integers = 2};
    case FrameType::crypto:
      return Layout{.integers = 2, .bytes_follow = true};
    case FrameType::new_token:
    case FrameType::datagram + 1:
      return Layout{.integers = 1, .bytes_follow = true};
    case FrameType::max_data:
    case FrameType::max_streams_bidi:
    case FrameType::max_streams_uni:
    case FrameType::data_blocked:
    case FrameType::streams_blocked_bidi:
    case FrameType::streams_blocked_uni:
    case FrameType::retire_connection_id:
      return Layout{.integers = 1};
    case FrameType::path_challenge:
    case FrameType::path_response:
      return Layout{.fixed_bytes = 8};
    case FrameType::connection_close:
      return Layout{.integers = 3, .bytes_follow = true};
    case FrameType::application_close:
      return Layout{.integers = 2, .bytes_follow = true};
    default:
      return std::nullopt;
  }
}

/// One with integers first, and perhaps bytes.
bool take_body(ConstBytes& from, const Layout& layout, Frame& frame) {
  for (std::size_t i = 0; i < layout.integers; ++i) {
    const auto value = take_varint(from);
    if (!value) return false;
    frame.values.push_back(*value);
  }
  const std::uint64_t length = layout.bytes_follow ? frame.values.back() : layout.fixed_bytes;
  if (length > from.size()) return false;
  frame.data = from.first(static_cast<std::size_t>(length));
  from = from.subspan(frame.data.size());
  return true;
}

bool take_ack(ConstBytes& from, Frame& frame) {
  if (!take_body(from, {.integers = 4}, frame)) return false;
  const std::uint64_t more = 2 * frame.values[2] + (frame.type == FrameType::ack_ecn ? 3 : 0);
  return more <= from.size() && take_body(from, {.integers = static_cast<std::size_t>(more)}, frame);
}

bool take_stream(ConstBytes& from, Frame& frame) {
  const bool offset = (frame.type & 4U) != 0;
  if (!take_body(from, {.integers = offset ? std::size_t{2} : 1}, frame)) return false;
  if (!offset) frame.values.push_back(0);
  if ((frame.type & 2U) != 0) return take_body(from, {.integers = 1, .bytes_follow = true}, frame);
  frame.data = from;
  from = {};
  return true;
}

bool take_new_connection_id(ConstBytes& from, Frame& frame) {
  if (!take_body(from, {.integers = 2}, frame) || from.empty()) return false;
  const auto length = std::to_integer<std::size_t>(from[0]);
  from = from.subspan(1);
  if (from.size() < length + 16) return false;
  frame.data = from.first(length);
  from = from.subspan(length + 16);
  return true;
}

}  // namespace

Frames& Frames::varint(std::uint64_t value) {
  const std::size_t exponent = value < 0x40 ? 0 : value < 0x4000 ? 1 : value < 0x40000000 ? 2 : 3;
  std::array<std::byte, 8> bytes;
  write_be(MutableBytes(bytes), value);
  const std::size_t length = std::size_t{1} << exponent;
  const auto begin = bytes_.size();
  bytes_.insert(bytes_.end(), bytes.end() - static_cast<std::ptrdiff_t>(length), bytes.end());
  bytes_[begin] = (bytes_[begin] & std::byte{0x3f}) | static_cast<std::byte>(exponent << 6U);
  return *this;
}

Frames& Frames::raw(ConstBytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Frames& Frames::fill(std::size_t count, std::uint8_t value) {
  bytes_.insert(bytes_.end(), count, std::byte{value});
  return *this;
}

Frames& Frames::crypto(std::uint64_t offset, ConstBytes data) {
  return frame(FrameType::crypto, offset, data.size()).raw(data);
}

Frames& Frames::stream(std::uint64_t id, std::uint64_t offset, ConstBytes data, bool fin) {
  return frame(FrameType::stream | 4U | 2U | (fin ? 1U : 0U), id, offset, data.size()).raw(data);
}

Frames& Frames::new_connection_id(std::uint64_t sequence, std::uint64_t retire_prior_to, std::uint8_t value,
                                  std::size_t length) {
  frame(FrameType::new_connection_id, sequence, retire_prior_to).fill(1, static_cast<std::uint8_t>(length));
  return fill(length, value).fill(16, value);
}

Frames& Frames::path_frame(std::uint64_t type, ConstBytes data) { return frame(type).raw(data); }

std::optional<std::uint64_t> take_varint(ConstBytes& from) {
  if (from.empty()) return std::nullopt;
  const auto first = std::to_integer<std::uint8_t>(from[0]);
  const std::size_t length = std::size_t{1} << (first >> 6U);
  if (from.size() < length) return std::nullopt;
  std::uint64_t value = first & 0x3fU;
  for (std::size_t i = 1; i < length; ++i) value = value << 8U | std::to_integer<std::uint64_t>(from[i]);
  from = from.subspan(length);
  return value;
}

std::optional<Frame> take_frame(ConstBytes& from) {
  Frame frame;
  const auto type = take_varint(from);
  if (!type) return std::nullopt;
  frame.type = *type;
  bool taken = false;
  if (frame.type == FrameType::ack || frame.type == FrameType::ack_ecn) {
    taken = take_ack(from, frame);
  } else if (frame.type >= FrameType::stream && frame.type < FrameType::max_data) {
    taken = take_stream(from, frame);
  } else if (frame.type == FrameType::new_connection_id) {
    taken = take_new_connection_id(from, frame);
  } else if (frame.type == FrameType::datagram) {
    frame.data = from;
    from = {};
    taken = true;
  } else if (const auto layout = layout_of(frame.type)) {
    taken = take_body(from, *layout, frame);
  }
  return taken ? std::optional(std::move(frame)) : std::nullopt;
}

}  // namespace qmux::hostile

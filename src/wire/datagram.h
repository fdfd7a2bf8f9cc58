// SPDX-License-Identifier: MIT
//
// The header of a QUIC DATAGRAM that carries UDP (docs/PROTOCOL.md): a visitor's payload whole, or one fragment
// of it.
//
//   uint32be session | payload
//   uint32be session | uint16be fragment id | uint8 flags | uint8 index | uint8 total | fragment
//
// Only the flags' high bit distinguishes the two forms, and a payload may have that bit in the same place. So our sender escapes
// such a payload: it sends it as the only fragment of one. A receiver takes for a fragment only what a sender may have made. Pure
// functions; any thread. FragmentPlan cuts a payload into fragments. Reassembler joins them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace qmux::wire {

inline constexpr std::size_t kSessionHeaderBytes = 4;
inline constexpr std::size_t kFragmentHeaderBytes = 9;
/// The most fragments of one payload: their count is one byte.
inline constexpr std::size_t kFragmentsMax = 255;
/// The fragment id of every escaped payload, and of nothing else: a Go receiver distinguishes groups by it alone.
inline constexpr std::uint16_t kEscapeFragmentId = 0;

/// Which fragment this is; index < total.
struct Fragment {
  std::uint16_t id = 0;
  std::uint8_t index = 0;
  std::uint8_t total = 0;

  bool operator==(const Fragment&) const = default;
};

/// A datagram that was read. The payload lies in what was parsed.
struct Datagram {
  std::uint32_t session = 0;
  std::optional<Fragment> fragment{};  ///< nothing: `payload` is whole
  /// It has a fragment's mark and is no fragment (an index, total or flags that no sender makes). From a Go sender, which does
  /// not escape, it is a payload. From a sender that escapes (frag-seq is in use) it is malformed: count and drop it.
  bool unescaped = false;
  ConstBytes payload{};
};

/// Nothing: too short to name a session. Every other datagram is one of the two forms.
[[nodiscard]] std::optional<Datagram> parse_datagram(ConstBytes datagram) noexcept;

/// Whether a receiver would misread this payload if it were sent bare. Only the payload's size and its first 3 bytes matter. So
/// `first_bytes` may be its first piece if that holds 3 bytes, or the whole payload if it is shorter.
[[nodiscard]] bool needs_escape(std::size_t payload_bytes, ConstBytes first_bytes) noexcept;

/// The bytes to send before a payload or a fragment of it.
class DatagramHeader {
 public:
  /// For a whole payload: escaped where a receiver would misread it.
  [[nodiscard]] static DatagramHeader whole(std::uint32_t session, ConstBytes payload) noexcept;
  /// For a whole payload that needs no escape, and for one that does.
  [[nodiscard]] static DatagramHeader bare(std::uint32_t session) noexcept;
  [[nodiscard]] static DatagramHeader escaped(std::uint32_t session) noexcept;
  [[nodiscard]] static DatagramHeader fragment(std::uint32_t session, const Fragment& fragment) noexcept;

  [[nodiscard]] ConstBytes bytes() const noexcept { return ConstBytes(bytes_).first(size_); }

 private:
  std::array<std::byte, kFragmentHeaderBytes> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace qmux::wire

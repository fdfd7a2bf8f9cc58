// SPDX-License-Identifier: MIT
#include "wire/datagram.h"

#include "base/check.h"

namespace qmux::wire {
namespace {

constexpr std::size_t kIdAt = 4;
constexpr std::size_t kFlagsAt = 6;
constexpr std::size_t kIndexAt = 7;
constexpr std::size_t kTotalAt = 8;

constexpr std::byte kFragmented{0x80};
constexpr std::byte kMoreFollow{0x01};

/// The only flags byte that a sender gives this fragment.
constexpr std::byte flags_of(const Fragment& fragment) {
  return fragment.index + 1 < fragment.total ? kFragmented | kMoreFollow : kFragmented;
}

/// As the Go receivers do.
bool bears_the_mark(ConstBytes datagram) {
  return datagram.size() >= kFragmentHeaderBytes && (datagram[kFlagsAt] & kFragmented) != std::byte{0};
}

/// A Go sender does not escape. Bytes that no sender makes as a fragment are such a payload.
std::optional<Fragment> parse_fragment(ConstBytes datagram) {
  const Fragment fragment{.id = read_be<std::uint16_t>(datagram.subspan(kIdAt)),
                          .index = std::to_integer<std::uint8_t>(datagram[kIndexAt]),
                          .total = std::to_integer<std::uint8_t>(datagram[kTotalAt])};
  if (fragment.index >= fragment.total || datagram[kFlagsAt] != flags_of(fragment)) return std::nullopt;
  return fragment;
}

}  // namespace

std::optional<Datagram> parse_datagram(ConstBytes datagram) noexcept {
  if (datagram.size() < kSessionHeaderBytes) return std::nullopt;
  const auto session = read_be<std::uint32_t>(datagram);
  const ConstBytes payload = datagram.subspan(kSessionHeaderBytes);
  if (!bears_the_mark(datagram)) return Datagram{.session = session, .payload = payload};
  const auto fragment = parse_fragment(datagram);
  if (!fragment) return Datagram{.session = session, .unescaped = true, .payload = payload};
  const ConstBytes bytes = datagram.subspan(kFragmentHeaderBytes);
  if (fragment->total == 1) return Datagram{.session = session, .payload = bytes};
  return Datagram{.session = session, .fragment = fragment, .payload = bytes};
}

bool needs_escape(std::size_t payload_bytes, ConstBytes first_bytes) noexcept {
  constexpr std::size_t flags_at = kFlagsAt - kSessionHeaderBytes;
  if (payload_bytes < kFragmentHeaderBytes - kSessionHeaderBytes) return false;
  CHECK(first_bytes.size() > flags_at);
  return (first_bytes[flags_at] & kFragmented) != std::byte{0};
}

DatagramHeader DatagramHeader::whole(std::uint32_t session, ConstBytes payload) noexcept {
  return needs_escape(payload.size(), payload) ? escaped(session) : bare(session);
}

DatagramHeader DatagramHeader::bare(std::uint32_t session) noexcept {
  DatagramHeader header;
  write_be(header.bytes_, session);
  header.size_ = kSessionHeaderBytes;
  return header;
}

DatagramHeader DatagramHeader::escaped(std::uint32_t session) noexcept {
  return fragment(session, {.id = kEscapeFragmentId, .index = 0, .total = 1});
}

DatagramHeader DatagramHeader::fragment(std::uint32_t session, const Fragment& fragment) noexcept {
  CHECK(fragment.index < fragment.total);
  DatagramHeader header;
  const MutableBytes bytes(header.bytes_);
  write_be(bytes, session);
  write_be(bytes.subspan(kIdAt), fragment.id);
  bytes[kFlagsAt] = flags_of(fragment);
  bytes[kIndexAt] = std::byte{fragment.index};
  bytes[kTotalAt] = std::byte{fragment.total};
  header.size_ = kFragmentHeaderBytes;
  return header;
}

}  // namespace qmux::wire

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

/// The one flags byte that a sender gives this part.
constexpr std::byte flags_of(const Fragment& fragment) {
  return fragment.index + 1 < fragment.total ? kFragmented | kMoreFollow : kFragmented;
}

/// An existing receiver takes this payload, sent bare, for a fragment.
bool is_misread_bare(ConstBytes payload) {
  constexpr std::size_t flags_at = kFlagsAt - kSessionHeaderBytes;
  return payload.size() >= kFragmentHeaderBytes - kSessionHeaderBytes &&
         (payload[flags_at] & kFragmented) != std::byte{0};
}

/// An existing sender does not escape; what no sender makes of a fragment is such a payload of his.
std::optional<Fragment> parse_fragment(ConstBytes datagram) {
  if (datagram.size() < kFragmentHeaderBytes) return std::nullopt;
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
  const auto fragment = parse_fragment(datagram);
  if (!fragment) return Datagram{.session = session, .payload = datagram.subspan(kSessionHeaderBytes)};
  const ConstBytes part = datagram.subspan(kFragmentHeaderBytes);
  if (fragment->total == 1) return Datagram{.session = session, .payload = part};
  return Datagram{.session = session, .fragment = fragment, .payload = part};
}

DatagramHeader DatagramHeader::whole(std::uint32_t session, ConstBytes payload) noexcept {
  if (is_misread_bare(payload)) return part(session, {.id = kEscapeFragmentId, .index = 0, .total = 1});
  DatagramHeader header;
  write_be(header.bytes_, session);
  header.size_ = kSessionHeaderBytes;
  return header;
}

DatagramHeader DatagramHeader::part(std::uint32_t session, const Fragment& fragment) noexcept {
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

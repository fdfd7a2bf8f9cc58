// SPDX-License-Identifier: MIT
#include "wire/connection_id.h"

#include "base/check.h"

namespace qmux::wire {
namespace {

constexpr std::byte kLongHeader{0x80};
constexpr std::size_t kVersionAt = 1;
constexpr std::size_t kLongIdsAt = 5;

/// Takes a connection ID with its length byte off the front.
std::optional<ConstBytes> take_id(ConstBytes& rest) {
  if (rest.empty()) return std::nullopt;
  const auto size = std::to_integer<std::size_t>(rest.front());
  rest = rest.subspan(1);
  if (rest.size() < size) return std::nullopt;
  const ConstBytes id = rest.first(size);
  rest = rest.subspan(size);
  return id;
}

}  // namespace

std::optional<PacketHeader> parse_packet_header(ConstBytes packet, std::size_t short_dcid_bytes) noexcept {
  if (packet.empty()) return std::nullopt;
  if ((packet.front() & kLongHeader) == std::byte{0}) {
    if (packet.size() - 1 < short_dcid_bytes) return std::nullopt;
    return PacketHeader{.dcid = packet.subspan(1, short_dcid_bytes)};
  }
  if (packet.size() < kLongIdsAt) return std::nullopt;
  ConstBytes rest = packet.subspan(kLongIdsAt);
  const auto dcid = take_id(rest);
  if (!dcid) return std::nullopt;
  const auto scid = take_id(rest);
  if (!scid) return std::nullopt;
  return PacketHeader{
      .is_long = true, .version = read_be<std::uint32_t>(packet.subspan(kVersionAt)), .dcid = *dcid, .scid = *scid};
}

std::size_t worker_of(ConstBytes dcid, std::size_t workers) noexcept {
  CHECK(workers >= 1 && workers <= kWorkersMax);
  return dcid.empty() ? 0 : std::to_integer<std::size_t>(dcid.front()) % workers;
}

std::byte first_id_byte(std::size_t worker, std::size_t workers, std::byte random) noexcept {
  CHECK(worker < workers && workers <= kWorkersMax);
  const auto value = std::to_integer<std::size_t>(random);
  std::size_t named = value - value % workers + worker;
  if (named > 0xff) named -= workers;  // the last, incomplete round of numbers
  return static_cast<std::byte>(named);
}

}  // namespace qmux::wire

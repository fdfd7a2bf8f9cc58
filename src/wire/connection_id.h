// SPDX-License-Identifier: MIT
//
// Which worker a QUIC packet is for, told from its invariant header (RFC 8999) without knowing the
// connection: the first byte of every connection ID that we issue names the worker that issued it. The
// kernel's socket filter applies the same rule (net/); this is for packets that it could not place.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace qmux::wire {

/// One byte can tell so many workers apart.
inline constexpr std::size_t kWorkersMax = 256;

/// The parts of a packet that no version of QUIC changes. The IDs lie in what was parsed.
struct PacketHeader {
  bool is_long = false;
  std::uint32_t version = 0;  ///< long header only; 0 in a Version Negotiation packet
  ConstBytes dcid{};
  ConstBytes scid{};  ///< long header only
};

/// Reads the first packet of a UDP payload. A short header does not say how long its connection ID is:
/// `short_dcid_bytes` is what we issue. IDs may be up to 255 bytes long here (RFC 8999 section 5.1); version
/// 1 allows 20. Nothing: too short to be what its first byte says.
[[nodiscard]] std::optional<PacketHeader> parse_packet_header(ConstBytes packet, std::size_t short_dcid_bytes) noexcept;

/// The worker that a packet with this destination ID goes to, of `workers` (1 to kWorkersMax). An ID that a
/// client made up for its first packets leads somewhere too, always to the same worker; an empty one to
/// worker 0.
[[nodiscard]] std::size_t worker_of(ConstBytes dcid, std::size_t workers) noexcept;

/// The first byte of an ID that `worker` issues: random but for what names the worker.
[[nodiscard]] std::byte first_id_byte(std::size_t worker, std::size_t workers, std::byte random) noexcept;

}  // namespace qmux::wire

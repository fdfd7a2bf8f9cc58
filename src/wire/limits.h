// SPDX-License-Identifier: MIT
//
// The limits of wire. Each has its unit in its name and its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- messages ---------------------------------------------------------------------------------------------------------

/// Largest JSON of a control message accepted; none that either side sends comes near it. Counter: protocol_errors.
inline constexpr std::size_t kMessageBytesMax = std::size_t{64} * 1024;
/// A client's name. It is kept and logged for as long as the client is registered, so its limit is tighter than the message's.
inline constexpr std::size_t kClientIdBytesMax = 256;
/// Each text of a NewConn: the longest address with a zone and a port takes 70 bytes.
inline constexpr std::size_t kNewConnTextBytesMax = 256;
/// A process's random name: 128 bits in hex take 32; leaves room for a longer one later.
inline constexpr std::size_t kInstanceBytesMax = 64;
/// Ended UDP sessions that one message reports. The message stays within kMessageBytesMax.
inline constexpr std::size_t kUdpEndNoticeSessionsMax = 4096;
/// A Go client's trailer on a tunnel stream (wire/conn_close_trailer.h), with its header. Its reason is an error
/// text of the Go library with an address in it, about 300 bytes at most. Anything longer is data.
inline constexpr std::size_t kConnCloseBytesMax = std::size_t{4} * 1024;
/// How long the last bytes of a Go client's stream are held when they match only the beginning of a trailer's header. A service
/// may well end a message in 0x06 (ASCII ACK) and wait for the answer. Packets sent together arrive well within this time.
inline constexpr std::chrono::milliseconds kTrailerHoldTimeMax{20};

// --- UDP --------------------------------------------------------------------------------------------------------------

/// Largest UDP payload over IPv4 (RFC 768: 65,535 less the headers); fragments that add up to more are no payload.
inline constexpr std::size_t kUdpPayloadBytesMax = 65'507;
/// Towards a Go receiver a fragment id is not reused before this. That receiver keeps an incomplete group for up to 10 s, and the
/// last fragment may have been in flight for some time.
inline constexpr std::chrono::seconds kFragmentIdReuseTimeMin{15};
/// How long the fragments of one payload may take, counted from the first. Counter: udp_incomplete_expired.
inline constexpr std::chrono::seconds kReassemblyTimeMax{5};
/// With frag-seq, ids this far apart are not in flight at the same time: the older group is dropped. It is an eighth of all ids,
/// so that an id cannot meet its own last use in any order of arrival.
inline constexpr std::uint16_t kFragmentIdsAheadMax = 8192;
/// Memory of one connection's incomplete payloads; over it the oldest is dropped. Enough for about 60 of the largest or a
/// thousand of two fragments: more than are in flight at once, so a dropped one waits for a lost fragment. Counter:
/// udp_incomplete_connection_full.
inline constexpr std::size_t kReassemblyConnectionBytesMax = std::size_t{4} * 1024 * 1024;
/// Free groups, and free blocks of 2 KiB for their fragments, that a worker keeps for reuse (0.6 MiB in all). Steady traffic
/// allocates nothing.
inline constexpr std::size_t kFreeReassemblyGroupsMax = 64;
inline constexpr std::size_t kFreeReassemblyBlocksMax = 256;

}  // namespace qmux::limits

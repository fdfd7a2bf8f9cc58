// SPDX-License-Identifier: MIT
//
// The numbers that bound something in wire: its unit in the name, its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- messages ---------------------------------------------------------------------------------------------------------

/// Largest JSON of a control message accepted (docs/PROTOCOL.md). None that either side sends comes near.
inline constexpr std::size_t kMessageBytesMax = std::size_t{64} * 1024;
/// A client's name: kept and logged for as long as he is registered, so tighter than the message that brings it.
inline constexpr std::size_t kClientIdBytesMax = 256;
/// Each text of a NewConn: the longest address with a zone and a port takes 70 bytes.
inline constexpr std::size_t kNewConnTextBytesMax = 256;
/// A process's random name: 128 bits in hex take 32; room for a longer one to come.
inline constexpr std::size_t kInstanceBytesMax = 64;
/// Ended UDP sessions that one message reports, which keeps within kMessageBytesMax.
inline constexpr std::size_t kUdpEndNoticeSessionsMax = 4096;
/// A Go client's trailer on a tunnel stream (wire/conn_close_trailer.h), with its header. Its reason is an error
/// text of the Go library with an address in it, some 300 bytes at the longest; more is data.
inline constexpr std::size_t kConnCloseBytesMax = std::size_t{4} * 1024;
/// How long the last bytes of a Go client's stream are held when all they share with a trailer is its header's
/// beginning: a service may well end a message in 0x06 (ASCII ACK) and wait for the answer. Packets sent together arrive
/// well within it.
inline constexpr std::chrono::milliseconds kTrailerHoldMax{20};

// --- UDP --------------------------------------------------------------------------------------------------------------

/// Largest UDP payload over IPv4 (RFC 768: 65,535 less the headers); a sum of parts beyond it is nobody's payload.
inline constexpr std::size_t kUdpPayloadBytesMax = 65'507;
/// A fragment id is not used again before this towards a Go receiver: it keeps an incomplete group for up to 10 s, and the
/// last part of it may have been on its way for a while.
inline constexpr std::chrono::seconds kFragmentIdReuseMin{15};
/// How long the parts of one payload may take to arrive, from the first to come. Those that are missing are lost.
inline constexpr std::chrono::seconds kReassemblyTimeMax{5};
/// With frag-seq, ids this far apart are not on their way at the same time: the older group is dropped. An eighth of all
/// ids, so that no order of arrival makes an id meet its own last use.
inline constexpr std::uint16_t kFragmentIdsAheadMax = 8192;
/// What one connection's incomplete payloads may hold; over it the oldest is dropped. Some 60 of the largest, a thousand of two
/// parts: many more than are in flight at once, so what goes is what waits for a part that was lost.
inline constexpr std::size_t kReassemblyConnectionBytesMax = std::size_t{4} * 1024 * 1024;
/// Incomplete payloads, and blocks of 2 KiB for their parts, that a worker keeps free while none needs them (0.6 MiB in all), so
/// that steady traffic allocates nothing.
inline constexpr std::size_t kFreeReassemblyGroupsMax = 64;
inline constexpr std::size_t kFreeReassemblyBlocksMax = 256;

}  // namespace qmux::limits

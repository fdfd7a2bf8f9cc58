// SPDX-License-Identifier: MIT
//
// Every number that bounds something: its unit in the name, its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// Free chunks a worker keeps (16 KiB each, 32 MiB in all) while traffic uses them: a whole window of a fast path, so that
/// steady traffic allocates nothing.
inline constexpr std::size_t kFreeChunksMax = 2048;
/// How often a worker gives up the chunks that nobody has needed meanwhile.
inline constexpr std::chrono::seconds kChunkSurplusPeriod{5};
/// What one stream may hold unsent: at least this, so that a fast path is never starved between two passes ...
inline constexpr std::size_t kStreamUnsentMinBytes = std::size_t{64} * 1024;
/// ... at most this, however large the congestion window: more adds delay and memory, never speed.
inline constexpr std::size_t kStreamUnsentMaxBytes = std::size_t{1024} * 1024;
/// One read from a socket into a stream: a visitor who sends without pause yields to the others after this much.
inline constexpr std::size_t kRelayReadMaxBytes = std::size_t{256} * 1024;

// --- QUIC -------------------------------------------------------------------------------------------------------------

/// Handshakes in flight on one endpoint from which on clients must first prove their address (Retry, RFC 9000 section 8.1.2).
inline constexpr std::size_t kHandshakesBeforeRetry = 64;
/// Handshakes in flight on one endpoint; more are dropped (a client retransmits its Initial).
inline constexpr std::size_t kHandshakesMax = 4096;
/// Stateless resets that one endpoint sends in a second, so that nobody can use us to reflect.
inline constexpr std::uint64_t kStatelessResetsPerSecond = 100;
/// A Retry token is good for one round trip, and some patience.
inline constexpr std::chrono::seconds kRetryTokenLifetime{10};
/// A NEW_TOKEN token is good for a client that comes back.
inline constexpr std::chrono::hours kAddressTokenLifetime{24};
/// Batches of up to 64 KiB that one connection sends in one pass before the others have their turn.
inline constexpr int kBatchesPerPass = 4;
/// Bytes of one stream in a row before the next stream of the connection has its turn.
inline constexpr std::size_t kStreamTurnBytes = std::size_t{16} * 1024;
/// Receive calls of one endpoint in one pass before timers and sending have their turn.
inline constexpr int kReceiveBatchesPerPass = 4;
/// Longest NEW_TOKEN token that a client keeps.
inline constexpr std::size_t kAddressTokenMaxBytes = 512;
/// Packets answered with CONNECTION_CLOSE again while closing: every 1st, 2nd, 4th, ... of this many.
inline constexpr std::uint32_t kClosingAnswersMax = 64;

/// One read call of a relay; what fits a cache.
inline constexpr std::size_t kRelayReadCallBytes = std::size_t{64} * 1024;
/// What all stuck tunnels of a worker may hold of what came from their streams: 500 of them with the default stream window.
/// Over it the tunnel stuck longest is ended; MemoryBudget::evictions() counts.
inline constexpr std::size_t kStuckTunnelsMaxBytes = std::size_t{256} * 1024 * 1024;

// --- tunnels ----------------------------------------------------------------------------------------------------------

/// To connect to the local service, the look-up of its name and all its addresses together.
inline constexpr std::chrono::seconds kDialTimeout{10};
/// How long a Go client must have been silent before a visitor's FIN is passed on to it, because it ends both directions
/// on that (docs/PROTOCOL.md).
inline constexpr std::chrono::seconds kHeldFinSilence{2};
/// After the far side's socket is gone the near one is reset; its last bytes and FIN have this long to get through.
inline constexpr std::chrono::seconds kStoppedLingerMax{1};
/// What a socket may still send, unheard, after the far side has closed: a farewell is forgiven, more is answered with RST
/// as TCP would.
inline constexpr std::size_t kDiscardMaxBytes = std::size_t{64} * 1024;

// --- wire -------------------------------------------------------------------------------------------------------------

/// Largest JSON of a control message accepted (docs/PROTOCOL.md). None that either side sends comes near.
inline constexpr std::size_t kMessageMaxBytes = std::size_t{64} * 1024;
/// A client's name: kept and logged for as long as he is registered, so tighter than the message that brings it.
inline constexpr std::size_t kClientIdMaxBytes = 256;
/// A process's random name: 128 bits in hex take 32; room for a longer one to come.
inline constexpr std::size_t kInstanceMaxBytes = 64;
/// An existing client's trailer on a tunnel stream (wire/conn_close_trailer.h), with its header. Its reason is an error
/// text of the Go library with an address in it, some 300 bytes at the longest; more is data.
inline constexpr std::size_t kConnCloseMaxBytes = std::size_t{4} * 1024;
/// How long the last bytes of an existing client's stream are held when all they share with a trailer is its header's
/// beginning: a service may well end a message in 0x06 (ASCII ACK) and wait for the answer. Packets sent together arrive
/// well within it.
inline constexpr std::chrono::milliseconds kTrailerHoldMax{20};

}  // namespace qmux::limits

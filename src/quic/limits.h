// SPDX-License-Identifier: MIT
//
// The numbers that bound something in quic: its unit in the name, its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// What one stream may hold unsent: at least this, so that a fast path is never starved between two passes ...
inline constexpr std::size_t kStreamUnsentBytesMin = std::size_t{64} * 1024;
/// ... at most this, however large the congestion window: more adds delay and memory, never speed.
inline constexpr std::size_t kStreamUnsentBytesMax = std::size_t{1024} * 1024;
/// A stream that waits for the peer's credit holds no more than this, ready to go when it comes: what thousands of far sockets
/// that take nothing make us hold is this for each.
inline constexpr std::size_t kStreamUnsentBlockedBytes = std::size_t{16} * 1024;
/// What all streams of a connection that have something to send may hold unsent, in congestion windows: they share it.
inline constexpr std::size_t kConnectionUnsentWindows = 4;

// --- QUIC -------------------------------------------------------------------------------------------------------------

/// Handshakes of a process within a second, and in flight, from which on clients must first prove their address (Retry, RFC 9000
/// section 8.1.2). One that was refused at once counts; one whose client has registered does not. Counter: retries_sent.
inline constexpr std::size_t kHandshakesBeforeRetry = 64;
/// Connections of a process whose clients have not registered, which take some 60 KiB each. Within them a source may have as many
/// as are left for others; what is beyond waits. Counters: handshakes_waiting_full, handshakes_waited_too_long.
inline constexpr std::size_t kUnprovenConnectionsMax = 256;
/// Of these, clients that come back with a NEW_TOKEN token may have this many, and so may the others: each kind keeps some.
inline constexpr std::size_t kUnprovenConnectionsOfKindMax = 192;
/// What ngtcp2 may take for a handshake: an honest one takes some 23 KiB, and a CRYPTO frame with a gap before it takes 8 KiB, of
/// which each level of encryption has eight. Counter: handshakes_oversize.
inline constexpr std::size_t kHandshakeLibraryBytesMax = std::size_t{64} * 1024;
/// Initials of a process that wait for their handshake, of each kind, 1.3 KiB each; shared out among its workers ...
inline constexpr std::size_t kInitialsWaitingMax = 1024;
/// ... each of which has this many at least. Counter: handshakes_waiting_full.
inline constexpr std::size_t kInitialsWaitingOfWorkerMin = 64;
/// After this a client has sent its Initial again (RFC 9002 section 6.2.2: after 1 s) or given up. Counter:
/// handshakes_waited_too_long.
inline constexpr std::chrono::milliseconds kInitialWaitTimeMax{1500};
/// While strangers crowd (Retry is wanted), a handshake from which nothing more has come for this time is ended. Over a round
/// trip of 1 s the packets of a client whose first flight is lost arrive after 2 s, since what it has not acknowledged is sent
/// again. Counter: handshakes_silent.
inline constexpr std::chrono::milliseconds kSilentHandshakeTimeMax{2500};
/// How often handshakes are looked at for that.
inline constexpr std::chrono::milliseconds kSilenceLookInterval{250};
/// How often those that wait look again for time and for room.
inline constexpr std::chrono::milliseconds kInitialRetryInterval{5};
/// The part of a worker's time that handshakes may take: of clients that come back with a NEW_TOKEN token, and of the others. The
/// rest is the data path's. Counters: handshakes_waiting_full, handshakes_waited_too_long.
inline constexpr double kKnownHandshakeTimeShare = 0.5;
inline constexpr double kUnknownHandshakeTimeShare = 0.25;
/// They may take this much in one go, ...
inline constexpr std::chrono::milliseconds kHandshakeBurst{10};
/// ... each counts for this at least ...
inline constexpr std::chrono::microseconds kHandshakeCostTimeMin{100};
/// ... and each of its packets for this at most, so that no single one shuts out those that follow.
inline constexpr std::chrono::milliseconds kHandshakeCostTimeMax{50};
/// Handshakes that have ended since the allocator's memory was last given back to the system, from which on that is worth a walk
/// through its heap, ...
inline constexpr std::size_t kTrimHandshakesMin = 16;
/// ... how long after the last of them, ...
inline constexpr std::chrono::milliseconds kTrimQuiet{500};
/// ... and while they go on ending, how long after the first.
inline constexpr std::chrono::seconds kTrimDelayTimeMax{2};
/// Connections of one endpoint that have ended and still answer packets, a few hundred bytes each; one more forgets the oldest.
/// Counter: closing_forgotten.
inline constexpr std::size_t kClosingConnectionsMax = 1024;
/// Stateless resets that one endpoint sends in a second, so that they cannot be used for reflection. Counter: resets_withheld.
inline constexpr std::uint64_t kStatelessResetsPerSecond = 100;
/// A Retry token is good for one round trip, and some patience.
inline constexpr std::chrono::seconds kRetryTokenLifetime{10};
/// A NEW_TOKEN token is good for a client that comes back.
inline constexpr std::chrono::hours kAddressTokenLifetime{24};
/// What a new connection takes from an earlier one as its first round-trip time: a lost first packet is sent again after three
/// times that. Not less than this, since the peer may have become slower ...
inline constexpr std::chrono::milliseconds kKnownRttMin{50};
/// ... nor more than what is assumed of an unknown path (RFC 9002 section 6.2.2).
inline constexpr std::chrono::milliseconds kKnownRttMax{333};
/// Batches of up to 64 KiB that one connection sends in one pass before the others have their turn.
inline constexpr int kBatchesPerPass = 4;
/// Bytes of one stream in a round (quic/stream_schedule.h) at most ...
inline constexpr std::size_t kStreamTurnBytesMax = std::size_t{16} * 1024;
/// ... and on a slow path what it carries in this time, so that a hundred streams beside a new one do not hold it up.
inline constexpr std::chrono::microseconds kStreamTurnTime{4000};
/// What datagrams may send in a row for each turn of a stream, in proportion to the flows and the streams that wait: at least
/// one datagram of the usual path, so that it waits for one turn of a stream and no longer ...
inline constexpr std::size_t kDatagramTurnBytesMin = 1500;
/// ... at most this, however many the flows.
inline constexpr std::size_t kDatagramTurnBytesMax = std::size_t{256} * 1024;
/// Large packets lost, one watched after another, from which on the path takes no such any more (RFC 8899 section 4.3). By
/// chance, with every tenth packet lost: once in 1,000 packets watched; and a limit for no reason lasts some round trips.
inline constexpr int kPathMtuLossesMax = 3;
/// Packets risked to see whether the path takes one size (MAX_PROBES of RFC 8899 section 5.1.2) ...
inline constexpr int kPathMtuAttemptsMax = 2;
/// ... and how long until all is tried again (its PMTU_RAISE_TIMER): this first, then twice as long each time, so that a path
/// which was narrow for a moment is not held narrow for long, ...
inline constexpr std::chrono::seconds kPathMtuRestTimeMin{5};
/// ... up to this.
inline constexpr std::chrono::minutes kPathMtuRestTimeMax{10};
/// Stream data that fills a packet at risk, where only datagrams travel, may take this long to come, ...
inline constexpr std::chrono::milliseconds kPathMtuFillerWait{100};
/// ... and is asked for again after this, should it have gone out otherwise.
inline constexpr std::chrono::seconds kPathMtuFillerInterval{1};
/// A peer is silent after two waits of a probe timeout each, and of at least this each: a busy machine may keep a process from
/// running for that long.
inline constexpr std::chrono::milliseconds kPathSilenceLookMin{100};
/// A client whose server's port is reported as closed gives the connection up when nothing has come for this long: a server that
/// restarts within it is found by a probe, which it answers with a stateless reset.
inline constexpr std::chrono::seconds kPortClosedTimeMin{1};
/// Largest file of keys or certificates that is read.
inline constexpr std::size_t kPemFileBytesMax = std::size_t{1024} * 1024;
/// Certificates of a file that are shown to peers: the own one and those up to its authority. GnuTLS verifies no longer chains.
inline constexpr std::size_t kChainCertificatesMax = 16;
/// Shorter RSA keys are refused by every peer, GnuTLS's and Go's alike.
inline constexpr unsigned kRsaKeyBitsMin = 1024;
/// How exact the timers of a connection are that has no stream data to send. Far below every delay that QUIC deals in, and far
/// above the interval of packets, so that an idle round trip sets no timer of its own.
inline constexpr std::chrono::milliseconds kIdleTimerGranularity{1};
/// Receive calls of one endpoint in one pass before timers and sending have their turn.
inline constexpr int kReceiveBatchesPerPass = 4;
/// Longest NEW_TOKEN token that a client keeps.
inline constexpr std::size_t kAddressTokenBytesMax = 512;
/// Packets answered with CONNECTION_CLOSE again while closing: every 1st, 2nd, 4th, ... of this many.
inline constexpr std::uint32_t kClosingAnswersMax = 64;
/// Of a peer's reason in CONNECTION_CLOSE: what is logged, and what we send at most about its certificate.
inline constexpr std::size_t kCloseReasonBytesMax = 256;

}  // namespace qmux::limits

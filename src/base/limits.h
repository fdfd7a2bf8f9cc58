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
/// Surplus chunks from which on giving them up is worth a walk through the allocator's heap.
inline constexpr std::size_t kTrimMinBytes = std::size_t{1024} * 1024;
/// How often a worker gives up the chunks that nobody has needed meanwhile.
inline constexpr std::chrono::seconds kChunkSurplusPeriod{5};
/// What one stream may hold unsent: at least this, so that a fast path is never starved between two passes ...
inline constexpr std::size_t kStreamUnsentMinBytes = std::size_t{64} * 1024;
/// ... at most this, however large the congestion window: more adds delay and memory, never speed.
inline constexpr std::size_t kStreamUnsentMaxBytes = std::size_t{1024} * 1024;
/// A stream that waits for the peer's credit holds no more than this, ready to go when it comes: what thousands of far sockets
/// that take nothing make us hold is this for each.
inline constexpr std::size_t kStreamUnsentBlockedBytes = std::size_t{16} * 1024;
/// What all streams of a connection that have something to send may hold unsent, in congestion windows: they share it.
inline constexpr std::size_t kConnectionUnsentWindows = 4;
/// One read from a socket into a stream: a visitor who sends without pause yields to the others after this much.
inline constexpr std::size_t kRelayReadMaxBytes = std::size_t{256} * 1024;

// --- QUIC -------------------------------------------------------------------------------------------------------------

/// Handshakes of a process within a second, and in flight, from which on clients must first prove their address (Retry, RFC 9000
/// section 8.1.2). One that was refused at once counts; one whose client has registered does not. Counter: retries_sent.
inline constexpr std::size_t kHandshakesBeforeRetry = 64;
/// Connections of a process whose clients have not registered, which take some 60 KiB each. Within them a source may have as many
/// as are left for others; what is beyond waits. Counters: waiting_full, waited_too_long.
inline constexpr std::size_t kUnprovenMax = 256;
/// Of these, clients that come back with a NEW_TOKEN token may have this many, and so may the others: each kind keeps some.
inline constexpr std::size_t kUnprovenOfKindMax = 192;
/// Initials of a process that wait for their handshake, of each kind, 1.3 KiB each; shared out among its workers ...
inline constexpr std::size_t kInitialsWaitingMax = 1024;
/// ... who have this many at least. Counter: waiting_full.
inline constexpr std::size_t kInitialsWaitingOfWorkerMin = 64;
/// After this a client has sent its Initial again or given up. Counter: waited_too_long.
inline constexpr std::chrono::seconds kInitialWaitMax{2};
/// How often those that wait look again for time and for room.
inline constexpr std::chrono::milliseconds kInitialRetryInterval{5};
/// The part of a worker's time that handshakes may take: of clients that come back with a NEW_TOKEN token, and of the others. The
/// rest is the data path's. Counters: waiting_full, waited_too_long.
inline constexpr double kKnownHandshakeTimeShare = 0.5;
inline constexpr double kUnknownHandshakeTimeShare = 0.25;
/// They may take this much in one go, ...
inline constexpr std::chrono::milliseconds kHandshakeBurst{10};
/// ... each counts for this at least ...
inline constexpr std::chrono::microseconds kHandshakeCostMin{100};
/// ... and each of its packets for this at most, so that no single one shuts out those that follow.
inline constexpr std::chrono::milliseconds kHandshakeCostMax{50};
/// Handshakes that have ended since the allocator's memory was last given back to the system, from which on that is worth a walk
/// through its heap, ...
inline constexpr std::size_t kTrimMinHandshakes = 16;
/// ... and how long after the first of them.
inline constexpr std::chrono::seconds kTrimDelay{2};
/// Connections of one endpoint that have ended and still answer packets, a few hundred bytes each; one more forgets the oldest.
/// Counter: closing_forgotten.
inline constexpr std::size_t kClosingConnectionsMax = 1024;
/// Stateless resets that one endpoint sends in a second, so that nobody can use us to reflect. Counter: resets_withheld.
inline constexpr std::uint64_t kStatelessResetsPerSecond = 100;
/// A Retry token is good for one round trip, and some patience.
inline constexpr std::chrono::seconds kRetryTokenLifetime{10};
/// A NEW_TOKEN token is good for a client that comes back.
inline constexpr std::chrono::hours kAddressTokenLifetime{24};
/// Batches of up to 64 KiB that one connection sends in one pass before the others have their turn.
inline constexpr int kBatchesPerPass = 4;
/// Bytes of one stream in a round (quic/stream_schedule.h) at most ...
inline constexpr std::size_t kStreamTurnMaxBytes = std::size_t{16} * 1024;
/// ... and on a slow path what it carries in this time, so that a hundred streams beside a new one do not hold it up.
inline constexpr std::chrono::microseconds kStreamTurnTime{4000};
/// What datagrams may send in a row for each turn of a stream, in proportion to the flows and the streams that wait: at least
/// one datagram of the usual path, so that it waits for one turn of a stream and no longer ...
inline constexpr std::size_t kDatagramTurnMinBytes = 1500;
/// ... at most this, however many the flows.
inline constexpr std::size_t kDatagramTurnMaxBytes = std::size_t{256} * 1024;
/// Large packets lost, one watched after another, from which on the path takes no such any more (RFC 8899 section 4.3). By
/// chance, with every tenth packet lost: once in 1,000 packets watched; and a limit for no reason lasts some round trips.
inline constexpr int kPathMtuLossesMax = 3;
/// Packets risked to see whether the path takes one size (MAX_PROBES of RFC 8899 section 5.1.2) ...
inline constexpr int kPathMtuAttemptsMax = 2;
/// ... and how long until all is tried again (its PMTU_RAISE_TIMER): this first, then twice as long each time, so that a path
/// which was narrow for a moment is not held narrow for long, ...
inline constexpr std::chrono::seconds kPathMtuRestMin{5};
/// ... up to this.
inline constexpr std::chrono::minutes kPathMtuRestMax{10};
/// Stream data that fills a packet at risk, where only datagrams travel, may take so long to come, ...
inline constexpr std::chrono::milliseconds kPathMtuFillerWait{100};
/// ... and is asked for again after this, should it have gone out otherwise.
inline constexpr std::chrono::seconds kPathMtuFillerInterval{1};
/// Largest file of keys or certificates that is read.
inline constexpr std::size_t kPemFileMaxBytes = std::size_t{1024} * 1024;
/// Certificates of a file that are shown to peers: the own one and those up to its authority. GnuTLS verifies no longer chains.
inline constexpr std::size_t kCertificateChainMax = 16;
/// Shorter RSA keys are refused by every peer, GnuTLS's and Go's alike.
inline constexpr unsigned kRsaKeyMinBits = 1024;
/// How exact the timers of a connection are that has no stream data to send. Far below every delay that QUIC deals in, and far
/// above the interval of packets, so that an idle round trip sets no timer of its own.
inline constexpr std::chrono::milliseconds kIdleTimerGranularity{1};
/// Receive calls of one endpoint in one pass before timers and sending have their turn.
inline constexpr int kReceiveBatchesPerPass = 4;
/// Longest NEW_TOKEN token that a client keeps.
inline constexpr std::size_t kAddressTokenMaxBytes = 512;
/// Packets answered with CONNECTION_CLOSE again while closing: every 1st, 2nd, 4th, ... of this many.
inline constexpr std::uint32_t kClosingAnswersMax = 64;
/// Of a peer's reason in CONNECTION_CLOSE: what is logged, and what we send at most about its certificate.
inline constexpr std::size_t kCloseReasonMaxBytes = 256;

/// One read call of a relay; what fits a cache.
inline constexpr std::size_t kRelayReadCallBytes = std::size_t{64} * 1024;
/// What all stuck tunnels of a process may hold of what came from their streams: 500 of them with the default stream window.
/// Over it the tunnel stuck longest is ended; MemoryBudget::evictions() counts.
inline constexpr std::size_t kStuckTunnelsMaxBytes = std::size_t{256} * 1024 * 1024;

// --- tunnels ----------------------------------------------------------------------------------------------------------

/// To connect to the local service: the wait for a place, the look-up of its name and all its addresses together.
inline constexpr std::chrono::seconds kDialTimeout{10};
/// Attempts to connect to the local service under way at a time, for each connection to a server: what a service whose backlog is
/// full costs in descriptors. More wait.
inline constexpr std::size_t kDialsInFlightMax = 256;
/// How long the local service's addresses are valid.
inline constexpr std::chrono::seconds kServiceLookUpAge{5};
/// How soon they are looked up again when they were not found.
inline constexpr std::chrono::seconds kServiceRetryInterval{1};
/// Streams that a server may open before its answer to the registration has come: packets overtake each other, but not many.
/// More are reset. Counter: streams_refused.
inline constexpr std::size_t kEarlyStreamsMax = 64;
/// How long a Go client must have been silent before a visitor's FIN is passed on to it, because it ends both directions
/// on that (docs/PROTOCOL.md).
inline constexpr std::chrono::seconds kHeldFinSilence{2};
/// Probes of a silent TCP peer, the keep-alive's interval apart, that may go unanswered (tcp(7), TCP_KEEPCNT).
inline constexpr int kTcpProbesMax = 9;
/// A socket that has been given everything, FIN included, and whose far side takes no more is reset after this.
inline constexpr std::chrono::seconds kStoppedLingerMax{1};
/// The last bytes before a reset may stand still for this long: longer than the path is out for a moment ...
inline constexpr std::chrono::seconds kLastBytesIdleMax{30};
/// ... and may take this long in all, however slowly they are read. Counter: tunnels_cut.
inline constexpr std::chrono::minutes kLastBytesTimeMax{5};
/// What a socket may still send, unheard, after the far side has closed: a farewell is forgiven, more is answered with RST
/// as TCP would.
inline constexpr std::size_t kDiscardMaxBytes = std::size_t{64} * 1024;

// --- UDP --------------------------------------------------------------------------------------------------------------

/// What one UDP session may have waiting for its connection: 40 ms at 200 Mbit/s, which is what a busy machine may keep one of
/// the processes from its processor. On slower paths kUdpWaitMax is the tighter bound. Counter: queue_full.
inline constexpr std::size_t kUdpFlowMaxBytes = std::size_t{1024} * 1024;
/// What all UDP sessions of a process may have waiting, shared out among its workers. Counter: queue_full.
inline constexpr std::size_t kUdpWaitingMaxBytes = std::size_t{256} * 1024 * 1024;
/// What the UDP sessions of one connection may have waiting, but never more than half of what its worker may: half a second at
/// 1 Gbit/s. One client that has stopped reading leaves room for the others. Counter: queue_full.
inline constexpr std::size_t kUdpConnectionWaitingMaxBytes = std::size_t{64} * 1024 * 1024;
/// A payload that has waited longer for its connection is dropped: nobody who sends by UDP wants it any more. Long enough
/// for the largest payload on a new connection over half the globe. Counter: stale.
inline constexpr std::chrono::milliseconds kUdpWaitMax{500};
/// How often a connection whose UDP waits is searched for payloads that have waited too long.
inline constexpr std::chrono::milliseconds kUdpStaleLookInterval{125};
/// What one socket of visitors' or of the local service's gives in one pass: about what a connection sends in one. More
/// would be copied only to be dropped; it waits, or is lost, in the kernel, where that costs nothing.
inline constexpr std::size_t kUdpReadMaxBytes = std::size_t{256} * 1024;
/// What a run of packets counts for besides its bytes, so that small ones do not keep the loop for long.
inline constexpr std::size_t kUdpReadRunBytes = 1024;
/// Bytes of one UDP session in a row before the next session of the connection has its turn.
inline constexpr std::size_t kUdpTurnBytes = std::size_t{16} * 1024;
/// UDP sessions of one connection; one more ends the least recently used one. Counter: sessions_evicted.
inline constexpr std::size_t kUdpSessionsPerConnectionMax = 16'384;
/// UDP sessions that one IP address, or one /64 of IPv6, may have on a listener, shared out among the workers: one more ends its
/// own least recently used one, so that a flood under one address takes no room of others. Counter: sessions_evicted.
inline constexpr std::size_t kUdpSessionsPerSourceMax = 4096;
/// New UDP sessions of one IP address: in a second as many as it may have, so that a flood from new ports ends no faster than its
/// client hears of it. Counter: too_many_sessions.
inline constexpr double kUdpSourceTurnoverPerSecond = 1;
/// Ends of UDP sessions are told to the client together, so often: far below what ends a control stream as a flood ...
inline constexpr std::chrono::milliseconds kUdpEndNoticeInterval{250};
/// ... and so many at a time, which keeps within kMessageMaxBytes.
inline constexpr std::size_t kUdpEndNoticeSessionsMax = 4096;
/// Visitors' packets on their way to another worker: a batch ...
inline constexpr std::size_t kUdpParcelBytes = std::size_t{128} * 1024;
inline constexpr std::size_t kUdpParcelRuns = 512;
/// ... and how many batches a process has: a worker sends one a pass, which may hold a few packets only while the other is kept
/// from its processor. Counter: mailbox_full.
inline constexpr std::size_t kUdpParcelsMax = 256;
/// Payloads of one session that wait for the local service's address: 10 ms at 200 Mbit/s. Counter: no_socket.
inline constexpr std::size_t kUdpEarlyMaxBytes = std::size_t{256} * 1024;
/// Socket buffers to ask for towards the local service, of each session.
inline constexpr std::size_t kUdpServiceSocketBytes = std::size_t{1024} * 1024;

// --- wire -------------------------------------------------------------------------------------------------------------

/// Largest JSON of a control message accepted (docs/PROTOCOL.md). None that either side sends comes near.
inline constexpr std::size_t kMessageMaxBytes = std::size_t{64} * 1024;
/// A client's name: kept and logged for as long as he is registered, so tighter than the message that brings it.
inline constexpr std::size_t kClientIdMaxBytes = 256;
/// Each text of a NewConn: the longest address with a zone and a port takes 70 bytes.
inline constexpr std::size_t kNewConnTextMaxBytes = 256;
/// A process's random name: 128 bits in hex take 32; room for a longer one to come.
inline constexpr std::size_t kInstanceMaxBytes = 64;
/// An existing client's trailer on a tunnel stream (wire/conn_close_trailer.h), with its header. Its reason is an error
/// text of the Go library with an address in it, some 300 bytes at the longest; more is data.
inline constexpr std::size_t kConnCloseMaxBytes = std::size_t{4} * 1024;
/// How long the last bytes of an existing client's stream are held when all they share with a trailer is its header's
/// beginning: a service may well end a message in 0x06 (ASCII ACK) and wait for the answer. Packets sent together arrive
/// well within it.
inline constexpr std::chrono::milliseconds kTrailerHoldMax{20};

// --- UDP --------------------------------------------------------------------------------------------------------------

/// Largest UDP payload over IPv4 (RFC 768: 65,535 less the headers); a sum of parts beyond it is nobody's payload.
inline constexpr std::size_t kUdpPayloadMaxBytes = 65'507;
/// A fragment id is not used again before this towards an existing receiver: it keeps an incomplete group for up to 10 s, and the
/// last part of it may have been on its way for a while.
inline constexpr std::chrono::seconds kFragmentIdReuseMin{15};
/// How long the parts of one payload may take to arrive, from the first to come. Those that are missing are lost.
inline constexpr std::chrono::seconds kReassemblyTimeMax{5};
/// With frag-seq, ids this far apart are not on their way at the same time: the older group is dropped. An eighth of all
/// ids, so that no order of arrival makes an id meet its own last use.
inline constexpr std::uint16_t kFragmentIdsAheadMax = 8192;
/// What one connection's incomplete payloads may hold; over it the oldest is dropped. Some 60 of the largest, a thousand of two
/// parts: many more than are in flight at once, so what goes is what waits for a part that was lost.
inline constexpr std::size_t kReassemblyConnectionMaxBytes = std::size_t{4} * 1024 * 1024;
/// What all incomplete payloads of a process may hold, shared out among its workers; over it the oldest is dropped.
inline constexpr std::size_t kReassemblyMaxBytes = std::size_t{64} * 1024 * 1024;
/// Incomplete payloads, and blocks of 2 KiB for their parts, that a worker keeps free while none needs them (0.6 MiB in all), so
/// that steady traffic allocates nothing.
inline constexpr std::size_t kFreeReassemblyGroupsMax = 64;
inline constexpr std::size_t kFreeReassemblyBlocksMax = 256;

// --- what is said -----------------------------------------------------------------------------------------------------

/// Of one field of a log line; what a peer or a file has written may be longer, and is cut.
inline constexpr std::size_t kLogValueMaxBytes = 1000;
/// Log lines that wait to be written, while nothing reads them. More are dropped, and a line says how many.
inline constexpr std::size_t kLogWaitingMaxBytes = std::size_t{1024} * 1024;
/// How often a busy worker looks whether it has lost anything.
inline constexpr std::chrono::milliseconds kLossLookInterval{100};
/// From the first loss to the line about it, so that it tells of those that come with it ...
inline constexpr std::chrono::seconds kLossReportDelay{1};
/// ... and between two such lines of a worker.
inline constexpr std::chrono::minutes kLossReportPeriod{1};

// --- sessions ---------------------------------------------------------------------------------------------------------

/// A connection that has not registered by then is closed.
inline constexpr std::chrono::seconds kRegisterTimeMax{10};
/// How long a refused client may take to acknowledge the reason before its connection is closed.
inline constexpr std::chrono::seconds kRefusalLingerMax{1};
/// Of a control stream: what the peer has not acknowledged may grow to this before anything but heartbeats and answers waits.
inline constexpr std::size_t kControlBacklogMaxBytes = std::size_t{64} * 1024;
/// Control messages a peer may send: a heartbeat every few seconds comes nowhere near; more than that ends the connection.
inline constexpr double kControlMessagesPerSecondMax = 20;
inline constexpr double kControlMessagesBurstMax = 100;
/// Health timeouts after which a peer that sends data, but no control message, is considered dead.
inline constexpr int kHealthTimeoutsWithoutMessage = 4;
/// A client from which no packet at all comes for this long after a new tunnel is suspect: others are chosen before it.
inline constexpr std::chrono::seconds kSignOfLifeTimeMax{1};
/// From NewConn to the client's answer that it has reached its service (capability conn-ack): its own time limit for that, and
/// the way there and back.
inline constexpr std::chrono::seconds kConnAckTimeMax{20};
/// Likewise after another client has registered under its name: most often that one is the same client, started again.
inline constexpr std::chrono::milliseconds kNamesakeSignOfLifeTimeMax{250};
/// Between two questions for such a sign: many clients may have one name.
inline constexpr std::chrono::seconds kNamesakeQuestionInterval{1};
/// After a dial of a client has failed, visitors go to others for so long; it doubles with every further failure after that
/// time, ...
inline constexpr std::chrono::seconds kDialPenaltyMin{2};
/// ... up to this.
inline constexpr std::chrono::seconds kDialPenaltyMax{60};
/// Then one visitor tries it. Another does when nothing has been heard of that dial for so long: kDialTimeout and a slow path.
inline constexpr std::chrono::seconds kDialProbeTimeMax{15};
/// NewConn follows the opening of its stream at once; a stream without one by then is reset.
inline constexpr std::chrono::seconds kNewConnTimeMax{10};
/// An orderly stop ends after this, whoever has not answered.
inline constexpr std::chrono::seconds kStopTimeMax{1};

// --- visitors ---------------------------------------------------------------------------------------------------------

/// What a visitor has sent may travel with him from worker to worker.
inline constexpr std::size_t kVisitorPrefixMaxBytes = std::size_t{64} * 1024;
/// From accept to a client that has taken him: long enough for a client to come back after the loss of its connection.
inline constexpr std::chrono::seconds kVisitorWaitMax{5};
/// How often those who wait look again.
inline constexpr std::chrono::milliseconds kVisitorRetryInterval{50};
/// Visitors that wait on one worker for any client to come, per listener. Counter: visitors_refused_waiting_full.
inline constexpr std::size_t kVisitorsWaitingMax = 1024;
/// Visitors that wait for stream credit of one client. Counter: visitors_refused_waiting_full.
inline constexpr std::size_t kVisitorsAwaitingCreditMax = 1024;
/// After that long without stream credit of its client a visitor tries another.
inline constexpr std::chrono::seconds kStreamCreditWaitMax{1};
/// Messages from other workers that one worker has not taken yet. Counter: mailbox_full.
inline constexpr std::size_t kMailboxMessagesMax = 4096;
/// Runs of QUIC packets, of up to 64 KiB each, that came in at another worker and that one worker has not taken yet. Counter:
/// strays_full.
inline constexpr std::size_t kStrayRunsMax = 256;

// --- reconnecting -----------------------------------------------------------------------------------------------------

/// The second attempt in a row to fail is followed by about this; it doubles from there.
inline constexpr std::chrono::milliseconds kBackoffMin{500};
/// A client's first attempt to connect that takes longer than this gets a line in the log.
inline constexpr std::chrono::milliseconds kSlowAttempt{1500};
/// Between attempts that fail before anything leaves this machine.
inline constexpr std::chrono::seconds kLocalRetryMax{2};
/// A registration that lasted this long counts as success: after its loss the first attempt is made at once.
inline constexpr std::chrono::seconds kStableSessionMin{5};

}  // namespace qmux::limits

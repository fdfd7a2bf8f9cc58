// SPDX-License-Identifier: MIT
//
// The numbers that bound something in tunnel: its unit in the name, its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// How often a worker gives up the chunks that nobody has needed meanwhile.
inline constexpr std::chrono::seconds kChunkSurplusPeriod{5};
/// One read from a socket into a stream: a visitor who sends without pause yields to the others after this much.
inline constexpr std::size_t kRelayReadBytesMax = std::size_t{256} * 1024;
/// One read call of a relay; what fits a cache.
inline constexpr std::size_t kRelayReadCallBytes = std::size_t{64} * 1024;
/// What all stuck tunnels of a process may hold of what came from their streams: 500 of them with the default stream window.
/// Over it the tunnel stuck longest is ended; MemoryBudget::evictions() counts.
inline constexpr std::size_t kStuckTunnelsBytesMax = std::size_t{256} * 1024 * 1024;

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
/// A socket that has been given everything, FIN included, and whose far side takes no more is reset after this.
inline constexpr std::chrono::seconds kStoppedLingerMax{1};
/// The last bytes before a reset may stand still for this long: longer than the path is out for a moment ...
inline constexpr std::chrono::seconds kLastBytesIdleMax{30};
/// ... and may take this long in all, however slowly they are read. Counter: tunnels_cut.
inline constexpr std::chrono::minutes kLastBytesTimeMax{5};
/// What a socket may still send, unheard, after the far side has closed: a farewell is forgiven, more is answered with RST
/// as TCP would.
inline constexpr std::size_t kDiscardBytesMax = std::size_t{64} * 1024;

// --- UDP --------------------------------------------------------------------------------------------------------------

/// What one UDP session may have waiting for its connection: 40 ms at 200 Mbit/s, which is what a busy machine may keep one of
/// the processes from its processor. On slower paths kUdpWaitMax is the tighter bound. Counter: queue_full.
inline constexpr std::size_t kUdpFlowBytesMax = std::size_t{1024} * 1024;
/// What all UDP sessions of a process may have waiting, shared out among its workers. Counter: queue_full.
inline constexpr std::size_t kUdpWaitingBytesMax = std::size_t{256} * 1024 * 1024;
/// What the UDP sessions of one connection may have waiting, but never more than half of what its worker may: half a second at
/// 1 Gbit/s. One client that has stopped reading leaves room for the others. Counter: queue_full.
inline constexpr std::size_t kUdpConnectionWaitingBytesMax = std::size_t{64} * 1024 * 1024;
/// A payload that has waited longer for its connection is dropped: nobody who sends by UDP wants it any more. Long enough
/// for the largest payload on a new connection over half the globe. Counter: stale.
inline constexpr std::chrono::milliseconds kUdpWaitMax{500};
/// How often a connection whose UDP waits is searched for payloads that have waited too long.
inline constexpr std::chrono::milliseconds kUdpStaleLookInterval{125};
/// What one socket of visitors' or of the local service's gives in one pass: about what a connection sends in one. More
/// would be copied only to be dropped; it waits, or is lost, in the kernel, where that costs nothing.
inline constexpr std::size_t kUdpReadBytesMax = std::size_t{256} * 1024;
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
/// Visitors' packets on their way to another worker: a batch ...
inline constexpr std::size_t kUdpParcelBytes = std::size_t{128} * 1024;
inline constexpr std::size_t kUdpParcelRuns = 512;
/// ... and how many batches a process has: a worker sends one a pass, which may hold a few packets only while the other is kept
/// from its processor. Counter: mailbox_full.
inline constexpr std::size_t kUdpParcelsMax = 256;
/// Payloads of one session that wait for the local service's address: 10 ms at 200 Mbit/s. Counter: no_socket.
inline constexpr std::size_t kUdpEarlyBytesMax = std::size_t{256} * 1024;
/// Socket buffers to ask for towards the local service, of each session.
inline constexpr std::size_t kUdpServiceSocketBytes = std::size_t{1024} * 1024;
/// What all incomplete payloads of a process may hold, shared out among its workers; over it the oldest is dropped.
inline constexpr std::size_t kReassemblyBytesMax = std::size_t{64} * 1024 * 1024;

// --- counters ---------------------------------------------------------------------------------------------------------

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
inline constexpr std::size_t kControlBacklogBytesMax = std::size_t{64} * 1024;
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
inline constexpr std::size_t kVisitorPrefixBytesMax = std::size_t{64} * 1024;
/// From accept to a client that has taken him: long enough for a client to come back after the loss of its connection.
inline constexpr std::chrono::seconds kVisitorWaitMax{5};
/// How often those who wait look again.
inline constexpr std::chrono::milliseconds kVisitorRetryInterval{50};
/// Visitors that wait on one worker for any client to come, per listener. Counter: visitors_too_many_waiting.
inline constexpr std::size_t kVisitorsWaitingMax = 1024;
/// Visitors that wait for stream credit of one client. Counter: visitors_too_many_waiting.
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

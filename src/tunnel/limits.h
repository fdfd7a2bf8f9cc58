// SPDX-License-Identifier: MIT
//
// The limits of tunnel. Each has its unit in its name and its reason beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qmux::limits {

// --- memory -----------------------------------------------------------------------------------------------------------

/// How often a worker frees the chunks that were not needed meanwhile.
inline constexpr std::chrono::seconds kChunkSurplusPeriod{5};
/// One read from a socket into a stream: a visitor that sends without pause yields to the others after this much.
inline constexpr std::size_t kRelayReadBytesMax = std::size_t{256} * 1024;
/// One read call of a relay; fits a cache.
inline constexpr std::size_t kRelayReadCallBytes = std::size_t{64} * 1024;
/// Bytes received from streams that all stuck tunnels of a process may hold: 500 tunnels with the default stream window. Over it
/// the tunnel stuck longest is reset; Counter: tunnels_stuck.
inline constexpr std::size_t kStuckTunnelsBytesMax = std::size_t{256} * 1024 * 1024;

// --- tunnels ----------------------------------------------------------------------------------------------------------

/// To connect to the local service: the wait for a place, the look-up of its name and all its addresses together.
inline constexpr std::chrono::seconds kDialTimeout{10};
/// Concurrent attempts to connect to the local service, for each connection to a server. It bounds the descriptors used when the
/// service's backlog is full. Further attempts wait.
inline constexpr std::size_t kDialsInFlightMax = 256;
/// How long the local service's addresses are valid.
inline constexpr std::chrono::seconds kServiceLookUpAge{5};
/// How soon they are looked up again when they were not found.
inline constexpr std::chrono::seconds kServiceRetryInterval{1};
/// Streams that a server may open before its answer to the registration has arrived, because packets may be reordered. Further
/// streams are reset. Counter: streams_refused.
inline constexpr std::size_t kEarlyStreamsMax = 64;
/// How long a Go client must have been silent before a visitor's FIN is passed on to it, because it then ends both directions
/// (docs/PROTOCOL.md).
inline constexpr std::chrono::seconds kHeldFinSilence{2};
/// After this a socket is reset that has sent everything, FIN included, and whose far side takes no more.
inline constexpr std::chrono::seconds kStoppedLingerTimeMax{1};
/// The last bytes before a reset may make no progress for this long: longer than a short outage of the path ...
inline constexpr std::chrono::seconds kLastBytesIdleTimeMax{30};
/// ... and may take this long in all, however slowly they are read. Counter: tunnels_cut.
inline constexpr std::chrono::minutes kLastBytesTimeMax{5};
/// What a socket may still send, discarded, after the far side has closed: a last message is accepted, more is answered with RST
/// as TCP would.
inline constexpr std::size_t kDiscardBytesMax = std::size_t{64} * 1024;

// --- UDP --------------------------------------------------------------------------------------------------------------

/// What one UDP session may have waiting for its connection: 40 ms at 200 Mbit/s. That is how long a busy machine may keep a
/// process from running. On slower paths kUdpWaitTimeMax is the tighter bound. Counter: udp_queue_full.
inline constexpr std::size_t kUdpFlowBytesMax = std::size_t{1024} * 1024;
/// What all UDP sessions of a process may have waiting, shared out among its workers. Counter: udp_queue_full.
inline constexpr std::size_t kUdpWaitingBytesMax = std::size_t{256} * 1024 * 1024;
/// What the UDP sessions of one connection may have waiting, but never more than half of its worker's share: half a second at 1
/// Gbit/s. So a client that has stopped reading leaves room for the others. Counter: udp_queue_full.
inline constexpr std::size_t kUdpConnectionWaitingBytesMax = std::size_t{64} * 1024 * 1024;
/// A payload that has waited longer for its connection is dropped: it is too old for a UDP application. Long enough for the
/// largest payload on a new connection over half the globe. Counter: udp_stale.
inline constexpr std::chrono::milliseconds kUdpWaitTimeMax{500};
/// How often a connection with waiting payloads is searched for those that have waited too long.
inline constexpr std::chrono::milliseconds kUdpStaleLookInterval{125};
/// What is read in one pass from one socket, of visitors or of the local service: about what a connection sends in one pass. More
/// would be copied only to be dropped. It waits, or is lost, in the kernel, at no cost.
inline constexpr std::size_t kUdpReadBytesMax = std::size_t{256} * 1024;
/// Counted for a run of packets in addition to its bytes, so that small packets do not occupy the loop for long.
inline constexpr std::size_t kUdpReadRunBytes = 1024;
/// Bytes of one UDP session in a row before the next session of the connection gets its turn.
inline constexpr std::size_t kUdpTurnBytes = std::size_t{16} * 1024;
/// UDP sessions of one connection; one more ends the least recently used one. Counter: udp_sessions_evicted.
inline constexpr std::size_t kUdpSessionsPerConnectionMax = 16'384;
/// UDP sessions that one IP address, or one /64 of IPv6, may have on a listener, shared out among the workers: one more ends its
/// own least recently used one, so that a flood from one address takes no room of others. Counter: udp_sessions_evicted.
inline constexpr std::size_t kUdpSessionsPerSourceMax = 4096;
/// New UDP sessions of one IP address: in a second as many as it may have. So a flood from new ports does not end sessions faster
/// than the client is notified. Counter: udp_too_many_sessions.
inline constexpr double kUdpSourceTurnoverPerSecond = 1;
/// How often ends of UDP sessions are reported to the client, in one message: far below the rate that counts as a flood of the
/// control stream ...
inline constexpr std::chrono::milliseconds kUdpEndNoticeInterval{250};
/// Size of a batch of visitors' packets for another worker ...
inline constexpr std::size_t kUdpParcelBytes = std::size_t{128} * 1024;
inline constexpr std::size_t kUdpParcelRuns = 512;
/// ... and how many batches a process has. A worker sends one a pass, which may hold only a few packets while the other worker is
/// not running. Counter: udp_mailbox_full.
inline constexpr std::size_t kUdpParcelsMax = 256;
/// Payloads of one session that wait for the local service's address: 10 ms at 200 Mbit/s. Counter: udp_no_socket.
inline constexpr std::size_t kUdpEarlyBytesMax = std::size_t{256} * 1024;
/// Socket buffers to ask for towards the local service, of each session.
inline constexpr std::size_t kUdpServiceSocketBytes = std::size_t{1024} * 1024;
/// What all incomplete payloads of a process may hold, shared out among its workers. Counter: udp_incomplete_worker_full.
inline constexpr std::size_t kReassemblyBytesMax = std::size_t{64} * 1024 * 1024;

// --- counters ---------------------------------------------------------------------------------------------------------

/// How often a busy worker checks its counters of losses.
inline constexpr std::chrono::milliseconds kLossLookInterval{100};
/// From the first loss to the line about it, so that the line includes the losses right after it ...
inline constexpr std::chrono::seconds kLossReportDelay{1};
/// ... and between two such lines of a worker.
inline constexpr std::chrono::minutes kLossReportPeriod{1};

// --- sessions ---------------------------------------------------------------------------------------------------------

/// A connection that has not registered within this time is closed. Counter: clients_refused.
inline constexpr std::chrono::seconds kRegisterTimeMax{10};
/// How long a refused client may take to acknowledge the reason before its connection is closed.
inline constexpr std::chrono::seconds kRefusalLingerTimeMax{1};
/// Unacknowledged bytes of a control stream, above which everything but heartbeats and answers waits.
inline constexpr std::size_t kControlBacklogBytesMax = std::size_t{64} * 1024;
/// Control messages a peer may send; a heartbeat every few seconds is far below it. Counter: protocol_errors.
inline constexpr double kControlMessagesPerSecondMax = 20;
inline constexpr double kControlBurstMessagesMax = 100;
/// Health timeouts after which a peer that sends data, but no control message, is considered dead.
inline constexpr int kHealthTimeoutsWithoutMessage = 4;
/// A client that has not reached its local service in this time, and four round trips, is avoided as one whose dial has failed.
inline constexpr std::chrono::milliseconds kPromptAckTimeMax{500};
/// A Go client from which nothing has come for this long has reached its service: its own time limit of 5 s, and a slow path.
inline constexpr std::chrono::seconds kGoDialTimeMax{7};
/// From NewConn to the client's answer that it has reached its service (capability conn-ack): its own time limit for that, and a
/// round trip.
inline constexpr std::chrono::seconds kConnAckTimeMax{20};
/// Between two requests to a client for a sign of life because another has registered under its name: many may have one name.
inline constexpr std::chrono::seconds kNamesakeQuestionInterval{1};
/// After a dial of a client has failed, other clients are preferred for this long. It doubles with every further failure after
/// that time, ...
inline constexpr std::chrono::seconds kDialPenaltyTimeMin{2};
/// ... up to this.
inline constexpr std::chrono::seconds kDialPenaltyTimeMax{60};
/// Then one visitor tries it. Another does when that dial has had no result for this long: kDialTimeout and a slow path.
inline constexpr std::chrono::seconds kDialProbeTimeMax{15};
/// NewConn follows the opening of its stream at once; a stream without one within this time is reset.
inline constexpr std::chrono::seconds kNewConnTimeMax{10};
/// How often a side that is to stop asks the other one for nothing new, and after how long without an answer of any kind it
/// waits no more.
inline constexpr std::chrono::seconds kDrainAskInterval{1};
inline constexpr std::chrono::milliseconds kDrainSilenceTimeMax{2500};
/// For what a client reports right before its connection is closed.
inline constexpr std::chrono::milliseconds kDrainFlushTime{20};
/// How often a program that drains looks whether the last visitor has gone.
inline constexpr std::chrono::milliseconds kDrainLookInterval{50};
/// An orderly stop ends after this, even if a peer has not answered.
inline constexpr std::chrono::seconds kStopTimeMax{1};

// --- visitors ---------------------------------------------------------------------------------------------------------

/// Bytes of a visitor that are kept until its client has reached the local service, so that another client can get them. In the
/// meantime no more is read.
inline constexpr std::size_t kVisitorPrefixBytesMax = std::size_t{64} * 1024;
/// What all visitors of a process that are with a client may have kept, shared out among its workers: a thousand large requests
/// to services that do not answer. Beyond it a visitor stays with its client. Counter: visitors_not_kept. Those that wait for
/// a client have kVisitorPrefixBytesMax each.
inline constexpr std::size_t kVisitorPrefixesBytesMax = std::size_t{64} * 1024 * 1024;
/// Clients that one visitor is given to, one after another. With the last one it stays.
inline constexpr std::size_t kVisitorOffersMax = 8;
/// After a client has been silent for this long, its visitors are handed over where their listener allows it.
inline constexpr std::chrono::seconds kSilentHandoverTime{2};
/// How often such a client is looked at again, for visitors that it was given after that.
inline constexpr std::chrono::milliseconds kSilentLookInterval{500};
/// How often waiting visitors try again.
inline constexpr std::chrono::milliseconds kVisitorRetryInterval{50};
/// Visitors that wait on one worker for any client, per listener. Counter: visitors_too_many_waiting.
inline constexpr std::size_t kVisitorsWaitingMax = 1024;
/// Visitors that wait for stream credit of one client. More are offered to other clients. Counter: visitors_no_client.
inline constexpr std::size_t kVisitorsAwaitingCreditMax = 1024;
/// After this long without stream credit of its client a visitor tries another.
inline constexpr std::chrono::seconds kStreamCreditWaitTimeMax{1};
/// Messages from other workers that one worker has not taken yet. Counter: mailbox_full.
inline constexpr std::size_t kMailboxMessagesMax = 4096;
/// Runs of QUIC packets, of up to 64 KiB each, that came in at another worker and that one worker has not taken yet. Counter:
/// strays_full.
inline constexpr std::size_t kStrayRunsMax = 256;

// --- roaming ----------------------------------------------------------------------------------------------------------

/// Only the client can restore a path whose mapping a NAT has dropped or changed. Without tunnels it probes so often that a new
/// visitor waits for less than 2 s; unless `keepaliveperiod` is set.
inline constexpr std::chrono::milliseconds kIdlePathProbeInterval{1500};
/// The same with tunnels, when nothing else is sent.
inline constexpr std::chrono::seconds kBusyPathProbeInterval{1};
/// A server that has been silent for this long is sought from another port when the congestion window is full, and again after
/// each further such time ...
inline constexpr std::chrono::seconds kSilentPathTimeMax{4};
/// ... so often: each takes one of the server's connection IDs, of which a client has seven.
inline constexpr int kPortChangesMax = 6;

// --- reconnecting -----------------------------------------------------------------------------------------------------

/// The wait after the second failed attempt in a row is about this. It doubles from there.
inline constexpr std::chrono::milliseconds kBackoffTimeMin{500};
/// A client's first attempt to connect that takes longer than this gets a line in the log.
inline constexpr std::chrono::milliseconds kSlowAttempt{1500};
/// From one attempt of a round to the next one, at another address of the server's name (RFC 8305 section 5) ...
inline constexpr std::chrono::milliseconds kAttemptDelay{250};
/// ... while no more than this many are in progress. Each takes a socket.
inline constexpr std::size_t kAttemptsAtOnceMax = 8;
/// Addresses of a server's name that are used. The others of the name are left out.
inline constexpr std::size_t kAddressesPerNameMax = 32;
/// Between attempts that fail before anything leaves this machine.
inline constexpr std::chrono::seconds kLocalRetryTimeMax{2};
/// A server that has announced its stop, or whose port is closed, is expected to be back within this time, here or at another
/// address of its name. In the meantime it is tried this often.
inline constexpr std::chrono::seconds kRestartTimeMax{60};
inline constexpr std::chrono::milliseconds kRestartRetryInterval{500};
/// Endpoints of one link whose connections are closing and still answer their peers; of more, the oldest are dropped. Counter:
/// closing_forgotten.
inline constexpr std::size_t kClosingEndpointsMax = 4;
/// Connections of one link to servers that are to stop: one more ends the oldest.
inline constexpr std::size_t kLeavingSessionsMax = 4;
/// A registration that lasted this long counts as success: after its loss the first attempt is made at once.
inline constexpr std::chrono::seconds kStableSessionTimeMin{5};

}  // namespace qmux::limits

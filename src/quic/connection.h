// SPDX-License-Identifier: MIT
//
// One QUIC connection (RFC 9000), around ngtcp2. It has no socket and reads no clock: its endpoint hands it packets and
// takes packets from it.
//
// Owned by its Endpoint; one thread. ConnectionEvents and StreamEvents are notified from deliver_events() only, never from
// inside receive(), expire() or fill(), nor from inside a call made by their receiver. DatagramHost is called from inside
// receive() and fill().
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/io/datagram_socket.h"
#include "base/io/event_loop.h"
#include "base/time.h"
#include "quic/close_cause.h"
#include "quic/closing_connections.h"
#include "quic/connection_host.h"
#include "quic/connection_memory.h"
#include "quic/datagram_share.h"
#include "quic/datagrams.h"
#include "quic/filler_request.h"
#include "quic/packet_batch.h"
#include "quic/path_mtu.h"
#include "quic/path_silence.h"
#include "quic/post_handshake.h"
#include "quic/received_packets.h"
#include "quic/stream.h"
#include "quic/stream_schedule.h"
#include "quic/tls_session.h"
#include "quic/transport_config.h"

namespace qmux::quic {

class Connection;

/// What a connection reports to its owner.
class ConnectionEvents {
 public:
  /// The handshake is complete: peer and keys are proven. A client's certificate may still be refused by the server, so a
  /// client knows that it was accepted only from the server's next message.
  virtual void established(Connection& connection) = 0;
  /// The peer opened a stream; its first bytes follow as events.
  virtual void stream_opened(Connection& connection, Stream& stream) = 0;
  /// After open_stream() gave nullptr: the peer allows more streams now.
  virtual void stream_credit(Connection& connection) = 0;
  /// To try a larger packet without risking datagrams, it wants about this many bytes on some stream that the peer reads.
  /// May be declined; asked again later.
  virtual void filler_wanted(Connection& /*connection*/, std::size_t /*bytes*/) {}
  /// The peer owes an acknowledgement, and nothing has come for two probe timeouts (quic/path_silence.h); after that, something
  /// has come again.
  virtual void peer_silent(Connection& /*connection*/) {}
  virtual void peer_heard(Connection& /*connection*/) {}
  /// The connection has ended, and with it every stream; the last event. Streams are gone when this returns.
  virtual void closed(Connection& connection, const CloseCause& cause) = 0;

 protected:
  ~ConnectionEvents() = default;
};

/// What a connection starts from.
struct ConnectionStart {
  io::PacketRun first;               ///< server: the client's Initial; client: only the addresses
  const TransportConfig* transport;  ///< outlives the connection
  std::shared_ptr<const Credentials> credentials;
  std::string server_name;   ///< client: verified against the certificate, sent as SNI
  ngtcp2_cid client_dcid{};  ///< server: destination ID of the Initial
  ngtcp2_cid client_scid{};  ///< server: source ID of the Initial
  std::uint32_t version = NGTCP2_PROTO_VER_V1;
  std::optional<ngtcp2_cid> original_dcid;  ///< server, after Retry: the destination ID before it
  ConstBytes token;                         ///< server: verified token; client: token to present
  std::optional<Duration> path_rtt{};       ///< client: as it was on an earlier connection to that address
  bool token_is_retry = false;
};

class Connection final : private StreamHost {
 public:
  /// nullptr when the QUIC or the TLS library cannot make one (out of memory, unusable credentials).
  [[nodiscard]] static std::unique_ptr<Connection> accept(ConnectionHost& host, const ConnectionStart& start);
  [[nodiscard]] static std::unique_ptr<Connection> connect(ConnectionHost& host, const ConnectionStart& start);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // --- for its owner (session) ---

  void set_events(ConnectionEvents* events) noexcept { events_ = events; }
  /// A new stream of ours; nullptr: the peer allows no more now, stream_credit() follows.
  [[nodiscard]] Stream* open_stream();
  /// How many streams open_stream() would give now.
  [[nodiscard]] std::uint64_t stream_credit() const noexcept;
  /// Streams that are not done: those whose owner has let go, and whose bytes or end the peer has not acknowledged, included.
  [[nodiscard]] std::size_t stream_count() const noexcept { return streams_.size(); }
  /// Sends and receives datagrams from now on; nullptr: without one, datagrams that arrive are dropped.
  void set_datagram_host(DatagramHost* host) noexcept;
  /// The host has something to send: it is asked for that as soon as there is room. At any time but from inside fill().
  void datagrams_waiting();
  /// The most data that one DATAGRAM frame takes in a packet of its own, on the path as it is known now; 0 until the
  /// handshake is complete, and when the peer takes no datagrams.
  [[nodiscard]] std::size_t datagram_room() const noexcept;
  /// CONNECTION_CLOSE with an application error code (RFC 9000 section 10.2). closed() follows with kind `local`.
  void close(ErrorCode code, std::string reason);
  /// A PING is sent after this time without a packet; 0: never. For a client without a period of its own.
  void set_keep_alive(Duration period);
  /// The client is one that this server wants: the bounds on unproven connections apply to it no more (HandshakeAdmission).
  void mark_proven();

  [[nodiscard]] bool is_established() const noexcept { return established_reported_; }
  [[nodiscard]] const Address& remote_address() const noexcept { return remote_; }
  [[nodiscard]] const Address& local_address() const noexcept { return local_; }
  /// Subject common name of the peer's certificate; empty without one.
  [[nodiscard]] std::string peer_name() const;
  /// Protocol chosen by ALPN; empty when none was.
  [[nodiscard]] std::string application_protocol() const;
  [[nodiscard]] Duration smoothed_rtt() const noexcept;
  /// When the last 1-RTT packet came that is the peer's without doubt: it decrypts, and it is newer than those before it.
  [[nodiscard]] Time last_heard() const noexcept { return last_heard_; }
  /// The congestion window is full: until something is acknowledged, only probes are sent.
  [[nodiscard]] bool is_window_full() const noexcept;
  /// Between peer_silent() and peer_heard().
  [[nodiscard]] bool is_silent() const noexcept { return silence_reported_; }
  /// While a packet has to be acknowledged and nothing has come since: when it was sent.
  [[nodiscard]] Time asked_at() const noexcept { return silence_.asked_at(); }
  /// When a UDP datagram last came for it, from any sender.
  [[nodiscard]] Time last_datagram() const noexcept { return last_datagram_; }
  /// When stream data or a datagram of the peer's last came.
  [[nodiscard]] Time last_data() const noexcept { return last_data_; }
  [[nodiscard]] std::size_t packet_bytes() const noexcept;  ///< largest UDP payload that the path takes, as known now
  [[nodiscard]] io::EventLoop& loop() noexcept { return host_.loop(); }

  // --- for its endpoint ---

  /// Takes one UDP datagram.
  void receive(const io::PacketRun& run, ConstBytes datagram, Time now);
  /// Something is due: deadline() has passed.
  void expire(Time now);
  /// Appends packets to the batch. True: more could follow as soon as the batch is on its way.
  bool fill(PacketBatch& batch, Time now);
  /// The socket did not take packets of this size, which fill() made: the path's first link has shrunk, or a probe failed.
  void packet_refused(std::size_t bytes, Time now);
  /// The network reports that packets do not reach the peer. Nothing proves this, so only a client believes it, and only when
  /// two packets in a row are reported: at once before anything has come from the server, and after that when the port is said
  /// to be closed and nothing has come for limits::kPortClosedTimeMin and three probe timeouts.
  void unreachable(io::Unreachable why);
  /// Client: packets leave from another local address from now on (RFC 9000 section 9).
  void migrate(const Address& local, Time now);
  /// Reports what has happened since the last call. True when something was reported.
  bool deliver_events();
  [[nodiscard]] bool has_events() const noexcept;
  /// When expire() is to be called, as seen at the end of a pass; kNever when nothing is awaited.
  [[nodiscard]] Time deadline(Time now) const noexcept;
  /// It has ended, and closed() has not been called yet.
  [[nodiscard]] bool end_is_unreported() const noexcept { return cause_ && !closed_reported_; }
  /// closed() has been called and nothing more is to be sent: the endpoint takes what remains and destroys it.
  [[nodiscard]] bool disposable() const noexcept {
    return phase_ != Phase::alive && closed_reported_ && !close_packet_due_;
  }
  /// Of a connection that is disposable(): for the endpoint's ClosingConnections. It has no routes any more.
  [[nodiscard]] ConnectionRemains take_remains();
  [[nodiscard]] bool proven() const noexcept { return proven_; }
  /// Memory that ngtcp2 has taken for it.
  [[nodiscard]] std::size_t library_bytes() const noexcept { return memory_.bytes(); }
  /// Closes it if that is more than `bytes_max` before the handshake is complete. True: it is closed now.
  bool bound_handshake(std::size_t bytes_max);
  /// Ends it as if its time for the handshake were over after `silence`: nothing is sent, and nothing is to remain.
  void abandon(Duration silence);

  /// The endpoint's own notes about the connection.
  struct EndpointMark {
    std::size_t index = 0;  ///< in the endpoint's list of connections
    bool touched = false;   ///< is to be served at the end of this pass
    bool admitted = false;  ///< has a HandshakePermit
  } mark;

 private:
  friend struct ConnectionCallbacks;

  enum class Phase : std::uint8_t {
    alive,
    closing,   ///< we send CONNECTION_CLOSE, and what remains answers stray packets with it
    draining,  ///< the peer sent CONNECTION_CLOSE: what remains keeps silent
    gone,      ///< nothing is to remain
  };
  struct ConnDeleter {
    void operator()(ngtcp2_conn* conn) const noexcept { ngtcp2_conn_del(conn); }
  };

  /// The packet that is being filled, over several calls of ngtcp2, all of which want the same.
  struct PacketInProgress {
    ngtcp2_path_storage path;
    ngtcp2_pkt_info info{};
    MutableBytes room;  ///< empty: the next packet has not begun
    Time now{};
    std::size_t path_bytes = 0;      ///< the largest, as ngtcp2 knows the path
    std::size_t bytes_max = 0;       ///< of this one
    std::size_t datagram_bytes = 0;  ///< DATAGRAM frames that are in it already
    std::size_t probe_bytes = 0;     ///< in packets before it: ngtcp2's probes for the path's MTU
    bool risky = false;              ///< the path may not take it: no place for what is not sent again
  };

  Connection(ConnectionHost& host, const ConnectionStart& start, bool server);
  bool start_server(const ConnectionStart& start);
  bool start_client(const ConnectionStart& start);
  void fill_settings(const ConnectionStart& start, ngtcp2_settings& settings, ngtcp2_transport_params& params) const;
  /// False: there is no TLS session.
  bool adopt(ngtcp2_conn* conn, std::unique_ptr<TlsSession> tls);
  void add_route(const ngtcp2_cid& id);
  void drop_route(const ngtcp2_cid& id);

  // StreamHost
  void stream_has_data(Stream& stream) override;
  void stream_consumed(Stream& stream, std::size_t bytes) override;
  void stream_reset(Stream& stream, ErrorCode code) override;
  void stream_stop_reading(Stream& stream, ErrorCode code) override;
  void stream_has_events(Stream& stream) override;
  void stream_released(Stream& stream) override;
  [[nodiscard]] std::size_t unsent_bytes_max(const Stream& stream) const override;

  Stream& add_stream(std::int64_t id);
  void deliver_silence();
  void deliver_opened();
  void deliver_stream_events();
  void retire_if_done(Stream& stream);
  void forget_streams();

  bool fill_alive(PacketBatch& batch, Time now);
  void fill_close(PacketBatch& batch);
  /// Adds stream data to the packet, or without a stream only frames of the connection itself; returns what
  /// ngtcp2 does. So does write_datagram().
  ngtcp2_ssize write_stream(PacketInProgress& packet, Stream* stream);
  ngtcp2_ssize write_datagram(PacketInProgress& packet, const OutgoingDatagram& datagram, bool streams_wait);
  /// The datagram to go into the packet next; nullopt: none, or it is the streams' turn.
  std::optional<OutgoingDatagram> next_datagram(const PacketInProgress& packet, bool streams_wait);
  /// Gives the next packet its room. False: there is none.
  bool begin_packet(PacketInProgress& packet, PacketBatch& batch);
  void packet_made(PacketInProgress& packet, PacketBatch& batch, std::size_t bytes);
  [[nodiscard]] std::size_t path_bytes() const noexcept;  ///< largest UDP payload, as far as ngtcp2 knows the path
  /// For frames, and for the data of one DATAGRAM frame, in a packet of that many bytes.
  [[nodiscard]] std::size_t frames_room(std::size_t packet_bytes) const noexcept;
  [[nodiscard]] std::size_t datagram_room(std::size_t packet_bytes) const noexcept;
  [[nodiscard]] Stream* next_to_send() noexcept;
  /// Takes a stream that cannot be written now out of the way. False: the error is the connection's, not the stream's.
  bool set_aside(Stream& stream, int ngtcp2_error);
  /// Where a stream stands after `accepted` of its bytes went into a packet (and FIN with them).
  void mark_sent(Stream& stream, std::size_t accepted, bool with_fin);
  /// ngtcp2_conn_shutdown_stream_write or _read.
  void shut_down(const Stream& stream, int (*half)(ngtcp2_conn*, std::uint32_t, std::int64_t, std::uint64_t),
                 ErrorCode code);
  /// After packets were made: whether one is to be acknowledged. `in_flight_before`: ngtcp2's bytes in flight before them.
  void note_question(const PacketInProgress& made, std::uint64_t in_flight_before, const ngtcp2_conn_info& info);
  void update_send_limits(const ngtcp2_conn_info& info);
  [[nodiscard]] std::size_t quantum_bytes(const ngtcp2_conn_info& info) const;

  [[nodiscard]] ngtcp2_conn_info library_info() const noexcept;
  [[nodiscard]] Duration probe_timeout() const noexcept;  ///< RFC 9002 section 6.2.1, without backoff
  void fail_with(int ngtcp2_error, Time now);
  /// The peer's port is closed, as far as one can know: see unreachable().
  [[nodiscard]] bool port_is_closed(Time now) const noexcept;
  [[nodiscard]] Time port_closed_at() const noexcept;  ///< kNever: no such report
  void begin_closing(CloseCause cause, Time now);
  void end(CloseCause cause, Phase phase, Time end_of_life);
  /// Of a failed handshake. Prepares what is sent to the peer.
  CloseCause tls_cause();
  [[nodiscard]] CloseCause peer_cause() const;
  [[nodiscard]] bool heard() const noexcept { return answered_; }

  ConnectionHost& host_;
  const TransportConfig& transport_;
  const bool server_;
  std::unique_ptr<TlsSession> tls_;
  TlsLink conn_ref_;
  PostHandshakeMessages post_handshake_;
  ConnectionMemory memory_;  ///< of conn_
  std::unique_ptr<ngtcp2_conn, ConnDeleter> conn_;
  ngtcp2_ccerr close_error_{};
  std::string close_reason_;  ///< close_error_ refers to it
  ConnectionEvents* events_ = nullptr;
  Address local_;
  Address remote_;
  std::vector<ngtcp2_cid> routed_ids_;  ///< unrouted when the connection goes

  std::unordered_map<std::int64_t, std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> opened_;  ///< by the peer, not reported yet
  StreamSchedule schedule_;
  DatagramHost* datagram_host_ = nullptr;
  DatagramShare share_;
  PathMtu path_mtu_;
  PathSilence silence_;
  FillerRequest filler_;
  ReceivedPackets received_packets_;
  std::uint64_t packet_number_ = 0;   ///< of the last 1-RTT packet that was made
  std::vector<Stream*> event_queue_;  ///< streams with events to report; nullptr where one has gone
  std::vector<Stream*> delivering_;   ///< those being notified
  std::vector<std::byte> close_packet_;

  std::optional<CloseCause> cause_;
  io::Unreachable last_unreachable_ = io::Unreachable::none;
  int unreachable_count_ = 0;  ///< packets in a row that were reported with it, since the last packet of the peer
  Phase phase_ = Phase::alive;
  Time end_of_life_ = kNever;  ///< of closing and draining
  Time last_heard_{};
  Time last_data_{};
  Time last_datagram_{};
  std::size_t unsent_bytes_max_;
  bool handshake_completed_ = false;
  bool established_reported_ = false;
  bool silence_reported_ = false;
  bool credit_wanted_ = false;
  bool credit_arrived_ = false;
  bool closed_reported_ = false;
  bool sent_since_unreachable_ = false;
  bool proven_ = false;
  bool close_packet_due_ = false;
  bool stateless_reset_ = false;
  bool data_heard_ = false;          ///< likewise, for last_data()
  bool answered_ = false;            ///< any packet of the peer's has decrypted, at any level
  bool heard_ = false;               ///< in the datagram that is being read: a packet that counts for last_heard()
  bool library_failed_ = false;      ///< conn_ cannot be trusted any more (library_guard)
  bool datagrams_due_ = false;       ///< the host has some to send
  bool connection_blocked_ = false;  ///< the peer gives no more credit for the connection as a whole
};

}  // namespace qmux::quic

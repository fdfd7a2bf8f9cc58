// SPDX-License-Identifier: MIT
//
// A UDP socket and the QUIC connections on it: routes packets by connection ID, begins connections, answers packets that
// belong to none (version negotiation, Retry, stateless reset).
//
// A server has one endpoint for each listener and worker; a client one for each connection, so that a connection can move
// to another socket. One thread. Its user calls deliver_events() and flush() at the end of each pass, in turn, until neither
// has anything left.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/chunk.h"
#include "base/counter.h"
#include "base/given_or_own.h"
#include "base/io/event_loop.h"
#include "base/io/overflow_watch.h"
#include "base/result.h"
#include "quic/closing_connections.h"
#include "quic/connection.h"
#include "quic/connection_host.h"
#include "quic/connection_table.h"
#include "quic/credentials.h"
#include "quic/handshake_admission.h"
#include "quic/limits.h"
#include "quic/packet_batch.h"
#include "quic/transport_config.h"

namespace qmux::quic {

/// Which of a server's workers this is; connection IDs carry it. A client is worker 0 of 1.
struct WorkerIndex {
  std::size_t index = 0;
  std::size_t count = 1;
};

/// How often something happened on the endpoints of one worker.
struct EndpointCounters {
  Counter packets_received;
  Counter packets_overflowed;   ///< lost in the kernel: they were not received from their socket in time
  Counter packets_dropped;      ///< belonged to no connection and were answered with nothing
  Counter packets_handed_over;  ///< belonged to another worker
  Counter handshakes_begun;
  Counter handshakes_failed;       ///< that the libraries could not begin
  Counter handshakes_oversize;     ///< ended: limits::kHandshakeLibraryBytesMax
  Counter address_tokens_refused;  ///< Retry tokens that were forged, of another address, or too old
  Counter retries_sent;
  Counter version_negotiations_sent;
  Counter stateless_resets_sent;
  Counter packets_refused;    ///< that the kernel refused to send
  Counter replies_dropped;    ///< answers to packets of no connection that the socket did not take
  Counter resets_withheld;    ///< beyond limits::kStatelessResetsPerSecond
  Counter datagrams_dropped;  ///< of connections that carry no UDP, or not yet
  Counter closing_forgotten;  ///< connections that stopped answering their peers before their time
};

/// A server's side of things.
class EndpointHost {
 public:
  /// A client began a connection (its handshake is not done). Returns what is notified of its events. Asked also inside
  /// receive_handed_over(), which the host calls; it makes no call to the endpoint.
  virtual ConnectionEvents* connection_begun(Connection& connection) = 0;
  /// A packet of another worker's connection landed here: bring it to that worker's Endpoint::receive_handed_over().
  virtual void hand_over(std::size_t worker_index, const io::PacketRun& run) = 0;

 protected:
  ~EndpointHost() = default;
};

struct EndpointOptions {
  TransportConfig transport;
  std::shared_ptr<const Credentials> credentials{};
  WorkerIndex worker;
  HandshakeAdmission* admission = nullptr;  ///< a server's; outlives the endpoint
  EndpointCounters* counters = nullptr;     ///< outlive the endpoint; nullptr: it counts for itself
};

class Endpoint final : private ConnectionHost, private io::DatagramSocket::Events, private HandshakeAdmission::Events {
 public:
  Endpoint(io::EventLoop& loop, ChunkPool& chunks, const EndpointOptions& options);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  /// Ends what is left, and sends nothing.
  ~Endpoint();

  /// Server: opens the socket and takes connections from then on. `shared_port`: see io::DatagramOptions.
  [[nodiscard]] Result<void> listen(const Address& local, bool shared_port, EndpointHost& host);
  /// Client: opens a socket and begins a connection. `token`: what a server at that address gave before, or empty. `path_rtt`:
  /// the round-trip time of an earlier connection to it.
  [[nodiscard]] Result<Connection*> connect(const Address& remote, const std::string& server_name, ConstBytes token,
                                            ConnectionEvents& events, std::optional<Duration> path_rtt = {});

  /// Notifies sessions and streams of what has happened. True when something was reported.
  bool deliver_events();
  /// Sends what the touched connections have to send, and forgets the connections that are finished. True when there may be
  /// more to send as soon as this pass is over.
  bool flush(Time now);

  /// From another worker, see EndpointHost::hand_over().
  void receive_handed_over(const io::PacketRun& run);

  /// New connections are refused from now on (CONNECTION_REFUSED, RFC 9000 section 20.1).
  void stop_accepting() noexcept {
    stopped_accepting_ = accepting_;
    accepting_ = false;
  }
  /// After stop_accepting().
  void accept_again() noexcept { accepting_ = std::exchange(stopped_accepting_, false) || accepting_; }
  /// For the connections that begin from now on. What depends on Credentials::secret() stays as it was.
  void renew(const TransportConfig& transport, std::shared_ptr<const Credentials> credentials) {
    options_.transport = transport;
    options_.credentials = std::move(credentials);
  }
  /// Client: this machine's network may have changed. If packets to the server now have another source address, or had no way
  /// before, the connection moves to the new path. True: it does.
  bool follow_network();
  /// Client: the connection goes on from another port of this machine. True: it does.
  bool change_port();
  /// Closes every connection with this application error.
  void close_all(ErrorCode code, const std::string& reason);

  /// Those included that have ended but still answer their peers.
  [[nodiscard]] std::size_t connection_count() const noexcept { return connections_.size() + closing_.size(); }
  [[nodiscard]] Address local_address() const;
  [[nodiscard]] const EndpointCounters& counters() const noexcept { return *counters_; }
  /// Client: the token that the server gave on this connection, to be presented at the next; may be empty.
  [[nodiscard]] const std::vector<std::byte>& server_token() const noexcept { return server_token_; }

 private:
  struct Kept {
    std::unique_ptr<Connection> connection;
    std::unique_ptr<Timer> timer;  ///< for Connection::deadline()
    HandshakePermit permit;        ///< a server's: until the client has registered
  };

  // ConnectionHost
  io::EventLoop& loop() noexcept override { return loop_; }
  ChunkPool& chunks() noexcept override { return chunks_; }
  void make_connection_id(ngtcp2_cid& id, std::size_t length, const Address& local, ResetToken token) override;
  void route(const ngtcp2_cid& id, Connection& connection) override;
  void unroute(const ngtcp2_cid& id) override;
  void touch(Connection& connection) override;
  std::size_t make_token(const Address& remote, std::span<std::uint8_t> into) override;
  void token_received(ConstBytes token) override;
  void datagram_dropped() noexcept override { ++counters_->datagrams_dropped; }

  // io::DatagramSocket::Events
  void datagrams_readable() override;
  void datagrams_writable() override;

  /// A socket of a client, connected to the server.
  [[nodiscard]] Result<std::unique_ptr<io::DatagramSocket>> open_towards(const Address& server);
  void move_to(std::unique_ptr<io::DatagramSocket> socket);
  /// Counts what the socket has refused, and reports to a client's connection what it knows of packets that do not arrive.
  void look_at_losses();
  // HandshakeAdmission::Events
  void initial_turn(const io::PacketRun& run) override;

  void receive_run(const io::PacketRun& run, bool handed_over);
  void receive_datagram(const io::PacketRun& run, ConstBytes datagram, bool handed_over);
  /// False: the destination ID is of no connection here, not of one that has ended either.
  bool receive_routed(const io::PacketRun& run, ConstBytes datagram, const std::uint8_t* id, std::size_t id_length);
  void receive_unrouted(const io::PacketRun& run, ConstBytes datagram, const ngtcp2_version_cid& header,
                        bool handed_over);
  void receive_initial(const io::PacketRun& run, ConstBytes datagram);
  void begin_connection(const io::PacketRun& run, const ngtcp2_pkt_hd& header, ConnectionStart& start,
                        Standing standing);
  /// Of one that has not registered: what it costs is charged to it.
  void receive_unproven(Connection& connection, const io::PacketRun& run, ConstBytes datagram);
  /// What the token of an Initial proves about the address that it came from: nothing, that the client receives there (Retry),
  /// that it did so as a client of ours (NEW_TOKEN), or that the token is forged or too old.
  enum class AddressProof : std::uint8_t { none, retry, known, forged };
  AddressProof check_token(const io::PacketRun& run, const ngtcp2_pkt_hd& header, ConnectionStart& start) const;
  void refuse_token(const io::PacketRun& run, const ngtcp2_pkt_hd& header);
  /// The datagram should begin one.
  void refuse_connection(const io::PacketRun& run, ConstBytes datagram);
  /// Answers an Initial with CONNECTION_CLOSE and keeps nothing.
  void send_close(const io::PacketRun& run, const ngtcp2_pkt_hd& header, std::uint64_t transport_error);
  void send_version_negotiation(const io::PacketRun& run, ConstBytes datagram, const ngtcp2_version_cid& header);
  void send_retry(const io::PacketRun& run, const ngtcp2_pkt_hd& header);
  void send_stateless_reset(const io::PacketRun& run, ConstBytes datagram, const ngtcp2_version_cid& header);
  void send_reply(const io::PacketRun& run, ConstBytes packet);
  Connection& keep(std::unique_ptr<Connection> connection, HandshakePermit permit);
  /// Sends what one connection has to send. True: it has more, for its next turn.
  bool serve(Connection& connection, Time now);
  /// Sends what the batch holds; false: the socket takes no more now. `maker`: the connection that made all of it,
  /// where that is known.
  bool drain_batch(Connection* maker);
  /// Arms the connection's timer, or keeps only what remains of it when it is finished.
  void settle(Connection& connection);
  [[nodiscard]] std::uint64_t token_time() const;

  io::EventLoop& loop_;
  ChunkPool& chunks_;
  EndpointOptions options_;
  GivenOrOwn<EndpointCounters> counters_;
  std::vector<std::byte> secret_;  ///< for reset tokens, Retry and NEW_TOKEN
  EndpointHost* host_ = nullptr;
  std::unique_ptr<io::DatagramSocket> socket_;
  io::OverflowWatch overflow_;
  std::vector<Kept> connections_;
  ConnectionTable table_;
  ClosingConnections closing_;
  std::vector<Connection*> touched_;
  std::vector<Connection*> serving_;
  PacketBatch batch_;
  bool accepting_ = false;
  bool stopped_accepting_ = false;
  bool more_to_receive_ = false;
  bool no_way_ = false;  ///< to the server, when the network changed last
  bool send_blocked_ = false;
  std::uint64_t resets_allowed_ = limits::kStatelessResetsPerSecond;
  Time resets_refilled_{};
  std::vector<std::byte> server_token_;
};

}  // namespace qmux::quic

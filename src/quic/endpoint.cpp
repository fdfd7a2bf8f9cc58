// SPDX-License-Identifier: MIT
#include "quic/endpoint.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "quic/connection_id.h"
#include "quic/limits.h"

namespace qmux::quic {

Endpoint::Endpoint(io::EventLoop& loop, ChunkPool& chunks, const EndpointOptions& options)
    : loop_(loop),
      chunks_(chunks),
      options_(options),
      counters_(options.counters),
      table_(loop.random()),
      closing_(loop, counters_->closing_forgotten) {
  const ConstBytes secret = options_.credentials->secret();
  secret_.assign(secret.begin(), secret.end());
  if (secret_.empty()) {  // a client without a certificate: nothing of it outlives the process
    secret_.resize(32);
    loop_.random().fill(secret_);
  }
}

Endpoint::~Endpoint() {
  // Connections take their routes with them, so the table goes last.
  connections_.clear();
  if (options_.admission != nullptr) options_.admission->forget(*this);
}

Result<void> Endpoint::listen(const Address& local, bool shared_port, EndpointHost& host) {
  CHECK(options_.admission != nullptr);
  auto socket = loop_.open_datagram({.local = local,
                                     .remote = {},
                                     .shared_port = shared_port,
                                     .steered_among = shared_port ? options_.worker.count : 0},
                                    *this);
  if (!socket) return std::unexpected(std::move(socket.error()));
  socket_ = std::move(*socket);
  host_ = &host;
  accepting_ = true;
  return {};
}

Result<Connection*> Endpoint::connect(const Address& remote, const std::string& server_name, ConstBytes token,
                                      ConnectionEvents& events, std::optional<Duration> path_rtt) {
  CHECK(socket_ == nullptr);
  auto socket = open_towards(remote);
  if (!socket) return std::unexpected(std::move(socket.error()));
  socket_ = std::move(*socket);

  ConnectionStart start;
  start.first.local = socket_->local_address();
  start.first.remote = remote;
  start.transport = &options_.transport;
  start.credentials = options_.credentials;
  start.server_name = server_name;
  start.token = token;
  start.path_rtt = path_rtt;
  auto connection = Connection::connect(*this, start);
  if (!connection) return fail("the QUIC connection could not be set up", remote.text());
  connection->set_events(&events);
  ++counters_->handshakes_begun;
  return &keep(std::move(connection), {});
}

Address Endpoint::local_address() const { return socket_ ? socket_->local_address() : Address(); }

Result<std::unique_ptr<io::DatagramSocket>> Endpoint::open_towards(const Address& server) {
  return loop_.open_datagram({.local = Address::any(server.family(), 0), .remote = server}, *this);
}

bool Endpoint::follow_network() {
  if (host_ != nullptr || connections_.empty()) return false;
  auto socket = open_towards(connections_.front().connection->remote_address());
  if (!socket) {
    no_way_ = true;  // the connection waits until there is one
    return false;
  }
  // It then moves even to the address that it had: on the old path its next packet is due only after as long as the way was gone
  // (RFC 9002 section 6.2.1).
  const bool returned = std::exchange(no_way_, false);
  if (!returned && (*socket)->local_address().same_host(socket_->local_address())) return false;
  move_to(std::move(*socket));
  return true;
}

bool Endpoint::change_port() {
  if (host_ != nullptr || connections_.empty()) return false;
  auto socket = open_towards(connections_.front().connection->remote_address());
  if (!socket) return false;
  move_to(std::move(*socket));
  return true;
}

void Endpoint::move_to(std::unique_ptr<io::DatagramSocket> socket) {
  socket_ = std::move(socket);
  overflow_.begin_anew();
  send_blocked_ = false;
  batch_.clear();  // what was made for the old path is lost
  connections_.front().connection->migrate(socket_->local_address(), loop_.now());
}

void Endpoint::close_all(ErrorCode code, const std::string& reason) {
  for (const Kept& held : connections_) held.connection->close(code, reason);
}

Connection& Endpoint::keep(std::unique_ptr<Connection> owned, HandshakePermit permit) {
  Connection& connection = *owned;
  connection.mark.index = connections_.size();
  auto timer = std::make_unique<Timer>(loop_.timers(), [this, &connection] { connection.expire(loop_.now()); });
  connection.mark.admitted = permit.valid();
  connections_.push_back({std::move(owned), std::move(timer), std::move(permit)});
  touch(connection);
  return connection;
}

// --- what connections ask ---------------------------------------------------------------------------------------------

void Endpoint::make_connection_id(ngtcp2_cid& id, std::size_t length, const Address& local, ResetToken token) {
  make_id(id, length, options_.worker.index, options_.worker.count, loop_.random());
  make_reset_token(token, secret_, local, id);
}

void Endpoint::route(const ngtcp2_cid& id, Connection& connection) { table_.insert(id, connection); }

void Endpoint::unroute(const ngtcp2_cid& id) { table_.erase(id); }

void Endpoint::touch(Connection& connection) {
  if (connection.mark.touched) return;
  connection.mark.touched = true;
  touched_.push_back(&connection);
}

std::uint64_t Endpoint::token_time() const {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::seconds(loop_.unix_seconds())).count());
}

std::size_t Endpoint::make_token(const Address& remote, std::span<std::uint8_t> into) {
  if (into.size() < NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN) return 0;
  const ngtcp2_ssize length = ngtcp2_crypto_generate_regular_token(
      into.data(), as_octets(ConstBytes(secret_)), secret_.size(), remote.raw(), remote.raw_length(), token_time());
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

void Endpoint::token_received(ConstBytes token) {
  if (token.size() <= limits::kAddressTokenBytesMax) server_token_.assign(token.begin(), token.end());
}

// --- receiving --------------------------------------------------------------------------------------------------------

void Endpoint::datagrams_readable() {
  std::array<io::PacketRun, 8> runs;
  for (int batch = 0; batch < limits::kReceiveBatchesPerPass; ++batch) {
    const std::size_t count = socket_->receive(runs);
    if (count == 0) return look_at_losses();
    counters_->packets_overflowed += overflow_.more(*socket_);
    for (const io::PacketRun& run : std::span(runs).first(count)) receive_run(run, false);
  }
  more_to_receive_ = true;
}

void Endpoint::look_at_losses() {
  if (socket_ != nullptr) counters_->packets_refused += socket_->take_refused();
  if (host_ != nullptr || connections_.empty()) return;
  const io::Unreachable why = socket_->unreachable();
  if (why != io::Unreachable::none) connections_.front().connection->unreachable(why);
}

void Endpoint::receive_handed_over(const io::PacketRun& run) { receive_run(run, true); }

void Endpoint::receive_run(const io::PacketRun& run, bool handed_over) {
  const std::size_t step = std::max<std::size_t>(run.segment_bytes, 1);
  for (std::size_t begin = 0; begin < run.bytes.size(); begin += step) {
    receive_datagram(run, run.bytes.subspan(begin, std::min(step, run.bytes.size() - begin)), handed_over);
  }
}

void Endpoint::receive_datagram(const io::PacketRun& run, ConstBytes datagram, bool handed_over) {
  ++counters_->packets_received;
  ngtcp2_version_cid header;
  const int error = ngtcp2_pkt_decode_version_cid(&header, as_octets(datagram), datagram.size(), kConnectionIdBytes);
  if (error == NGTCP2_ERR_VERSION_NEGOTIATION) return send_version_negotiation(run, datagram, header);
  // A long header of version 0 is a Version Negotiation packet, which no client sends (RFC 9000 section 17.2.1).
  const bool negotiation = error == 0 && header.version == 0 && (std::to_integer<unsigned>(datagram[0]) & 0x80U) != 0;
  if (error != 0 || header.dcidlen > NGTCP2_MAX_CIDLEN || (negotiation && host_ != nullptr)) {
    ++counters_->packets_dropped;
    return;
  }
  if (!receive_routed(run, datagram, header.dcid, header.dcidlen)) {
    receive_unrouted(run, datagram, header, handed_over);
  }
}

bool Endpoint::receive_routed(const io::PacketRun& run, ConstBytes datagram, const std::uint8_t* id,
                              std::size_t id_length) {
  if (Connection* connection = table_.find(id, id_length)) {
    if (connection->mark.admitted) {
      receive_unproven(*connection, run, datagram);
    } else {
      connection->receive(run, datagram, loop_.now());
    }
    return true;
  }
  std::optional<io::PacketRun> answer;
  if (!closing_.take(id, id_length, datagram.size(), answer)) return false;
  if (answer) send_reply(*answer, answer->bytes);
  return true;
}

void Endpoint::receive_unproven(Connection& connection, const io::PacketRun& run, ConstBytes datagram) {
  const Time before = loop_.clock();
  connection.receive(run, datagram, loop_.now());
  connections_[connection.mark.index].permit.charge(loop_.clock() - before);
  if (connection.bound_handshake(limits::kHandshakeLibraryBytesMax)) ++counters_->handshakes_oversize;
}

void Endpoint::receive_unrouted(const io::PacketRun& run, ConstBytes datagram, const ngtcp2_version_cid& header,
                                bool handed_over) {
  const bool short_header = header.version == 0;
  if (host_ == nullptr) {
    // A client's only connection takes it: a stateless reset carries an ID that was never issued.
    if (!connections_.empty()) connections_.front().connection->receive(run, datagram, loop_.now());
    return;
  }
  if (header.dcidlen > 0 && !handed_over) {
    const std::size_t worker =
        wire::worker_of(std::as_bytes(std::span(header.dcid, header.dcidlen)), options_.worker.count);
    if (worker != options_.worker.index) {
      ++counters_->packets_handed_over;
      host_->hand_over(worker, {run.local, run.remote, datagram, datagram.size(), run.ecn});
      return;
    }
  }
  if (short_header) return send_stateless_reset(run, datagram, header);
  if (!accepting_) return refuse_connection({run.local, run.remote, datagram, datagram.size(), run.ecn}, datagram);
  receive_initial({run.local, run.remote, datagram, datagram.size(), run.ecn}, datagram);
}

void Endpoint::receive_initial(const io::PacketRun& run, ConstBytes datagram) {
  ngtcp2_pkt_hd header;
  if (ngtcp2_accept(&header, as_octets(datagram), datagram.size()) != 0) {
    ++counters_->packets_dropped;
    return;
  }
  HandshakeAdmission& admission = *options_.admission;
  ConnectionStart start;
  const AddressProof proof = check_token(run, header, start);
  if (proof == AddressProof::forged) return refuse_token(run, header);
  const Standing standing = proof == AddressProof::known ? Standing::known : Standing::unknown;
  const bool may_begin = admission.may_begin(run.remote, standing);
  // Nothing is kept for a source that may be forged.
  if (proof == AddressProof::none && (!may_begin || admission.retry_wanted())) return send_retry(run, header);
  if (!may_begin) return admission.wait(*this, run, standing);
  begin_connection(run, header, start, standing);
}

void Endpoint::initial_turn(const io::PacketRun& run) {
  const ConstBytes datagram = run.bytes;
  ngtcp2_pkt_hd header;
  CHECK(ngtcp2_accept(&header, as_octets(datagram), datagram.size()) == 0);
  // Its client has sent it again, or its ClientHello takes two, and the other one's turn was before.
  if (receive_routed(run, datagram, header.dcid.data, header.dcid.datalen)) return;
  ConnectionStart start;
  const AddressProof proof = check_token(run, header, start);
  if (!accepting_ || (proof != AddressProof::retry && proof != AddressProof::known)) {
    ++counters_->packets_dropped;
    return;
  }
  begin_connection(run, header, start, proof == AddressProof::known ? Standing::known : Standing::unknown);
}

void Endpoint::begin_connection(const io::PacketRun& run, const ngtcp2_pkt_hd& header, ConnectionStart& start,
                                Standing standing) {
  const Time before = loop_.clock();
  HandshakePermit permit = options_.admission->begun(run.remote, standing);
  start.first = run;
  start.transport = &options_.transport;
  start.credentials = options_.credentials;
  start.client_dcid = header.dcid;
  start.client_scid = header.scid;
  start.version = header.version;
  auto connection = Connection::accept(*this, start);
  permit.charge(loop_.clock() - before);
  if (!connection) {
    ++counters_->handshakes_failed;
    return;
  }
  ++counters_->handshakes_begun;
  permit.attach(*connection);
  Connection& held = keep(std::move(connection), std::move(permit));
  held.set_events(host_->connection_begun(held));
  receive_unproven(held, run, run.bytes);
}

// --- sending ----------------------------------------------------------------------------------------------------------

void Endpoint::datagrams_writable() { send_blocked_ = false; }

bool Endpoint::drain_batch(Connection* maker) {
  while (!batch_.empty()) {
    const io::SendStatus status = socket_->send(batch_.front());
    if (status == io::SendStatus::would_block) {
      send_blocked_ = true;
      return false;
    }
    if (status == io::SendStatus::too_large && maker != nullptr) {
      maker->packet_refused(batch_.front().segment_bytes, loop_.now());
    }
    batch_.pop_front();
  }
  return true;
}

bool Endpoint::deliver_events() {
  if (host_ != nullptr) options_.admission->serve();
  if (more_to_receive_) {
    more_to_receive_ = false;
    datagrams_readable();
  }
  bool reported = false;
  for (std::size_t i = 0; i < touched_.size(); ++i) reported |= touched_[i]->deliver_events();
  return reported;
}

bool Endpoint::flush(Time now) {
  // What was left: its maker may be gone. If the packets are too large, so are the next.
  if (send_blocked_ || !drain_batch(nullptr)) return false;
  std::swap(touched_, serving_);
  for (Connection* connection : serving_) connection->mark.touched = false;
  bool more = more_to_receive_;
  for (std::size_t i = 0; i < serving_.size(); ++i) {
    Connection& connection = *serving_[i];
    if (send_blocked_) {
      touch(connection);
      continue;
    }
    if (serve(connection, now)) {
      touch(connection);
      more |= !send_blocked_;
    }
    settle(connection);
  }
  serving_.clear();
  look_at_losses();
  // Sending has given connections events to report, such as a failure.
  return more || (!send_blocked_ && !touched_.empty());
}

bool Endpoint::serve(Connection& connection, Time now) {
  for (int batch = 0; batch < limits::kBatchesPerPass; ++batch) {
    const bool more = connection.fill(batch_, now);
    if (!drain_batch(&connection)) return true;
    if (!more) return false;
  }
  return true;
}

void Endpoint::settle(Connection& connection) {
  const std::size_t index = connection.mark.index;
  if (connection.mark.admitted && connection.proven()) {
    connection.mark.admitted = false;
    connections_[index].permit.proven();
  }
  if (!connection.disposable()) {
    connections_[index].timer->set(connection.deadline(loop_.now()));
    // It may have been closed since its turn to report, by an event of another endpoint's connection.
    if (connection.end_is_unreported()) touch(connection);
    return;
  }
  if (connection.mark.touched) return;  // its turn comes again
  closing_.add(connection.take_remains());
  std::swap(connections_[index], connections_.back());
  connections_[index].connection->mark.index = index;
  connections_.pop_back();
}

}  // namespace qmux::quic

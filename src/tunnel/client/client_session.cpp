// SPDX-License-Identifier: MIT
#include "tunnel/client/client_session.h"

#include <utility>
#include <variant>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/describe.h"

namespace qmux::tunnel {

using quic::ErrorCode;

ClientSession::ClientSession(WorkerState& worker, const ClientOptions& options, const ServerEntry& server,
                             wire::Register introduction, ClientSessionEvents& events)
    : worker_(worker),
      options_(options),
      server_entry_(server),
      introduction_(std::move(introduction)),
      events_(events),
      deadline_(worker.loop.timers(),
                [this] { leave(ErrorCode::refused, "the server did not answer the registration"); }),
      silent_due_(worker.loop.timers(), [this] { silent_for_long(); }),
      drain_(worker.loop, *this),
      local_service_(worker.loop, options.local_service.address) {}

ClientSession::~ClientSession() = default;

void ClientSession::drain(const std::string& reason) {
  const auto call = guard_.call();
  if (registered_) drain_.begin(reason, can_drain_);
}

void ClientSession::options_changed() {
  const auto call = guard_.call();
  local_service_.set_address(options_.local_service.address);
  if (control_) control_->set_health(options_.health);
}

void ClientSession::machine_woke(Duration asleep) {
  const auto call = guard_.call();
  if (!registered_ || !own_cause_.empty()) return;
  const Time now = worker_.loop.now();
  if (now - connection_->last_heard() + asleep >= options_.health.timeout) {
    return leave(ErrorCode::shutdown, "this machine was asleep for longer than the health timeout");
  }
  control_->send_heartbeat();
}

bool ClientSession::is_drained() const noexcept { return !registered_ || drain_.done(); }

bool ClientSession::is_idle() const {
  // A Go server never ends the streams whose bytes it has left unread.
  const std::size_t control = 1;
  return tunnels_.empty() && (server_ != RelayPeer::exact || connection_->stream_count() <= control);
}

bool ClientSession::return_visitors() {
  const auto call = guard_.call();
  bool any = false;
  for (auto next = tunnels_.begin(); next != tunnels_.end();) {
    ClientTunnel& tunnel = *(next++)->second;  // which may go now
    if (!tunnel.go_away()) continue;
    tunnel_ended(tunnel);
    any = true;
  }
  return any;
}

void ClientSession::established(quic::Connection& connection) {
  connection_ = &connection;
  early_datagrams_ = std::make_unique<EarlyDatagrams>(connection, worker_.counters.udp);
  deadline_.set(worker_.loop.now() + limits::kRegisterTimeMax);
  guard_.check_no_call();
  events_.session_established(*this);
  open_control_stream();
}

void ClientSession::stream_credit(quic::Connection& /*connection*/) { open_control_stream(); }

void ClientSession::open_control_stream() {
  if (control_) return;
  quic::Stream* const stream = connection_->open_stream();
  if (stream == nullptr) return;  // stream_credit() follows, or the deadline
  control_ = std::make_unique<ControlStream>(worker_.loop, *stream, options_.health, *this);
  control_->send(introduction_);
}

bool ClientSession::control_message(const wire::Message& message) {
  if (!own_cause_.empty()) return true;  // it is leaving
  if (const auto* const error = std::get_if<wire::ErrorMessage>(&message)) {
    worker_.complaints.reported.write(worker_.loop.now(), log::Level::warn, "server reports an error",
                                      {{"code", error->code}, {"message", error->message}});
    return true;
  }
  if (!registered_) {
    const auto* const answer = std::get_if<wire::RegisterAck>(&message);
    if (answer != nullptr) registration_answered(*answer);
    return answer != nullptr || std::holds_alternative<wire::Heartbeat>(message);
  }
  if (const auto* const go_away = std::get_if<wire::GoAway>(&message)) {
    go_away_received(*go_away);
  } else if (const auto* const ended = std::get_if<wire::UdpEnd>(&message)) {
    udp_->end_sessions(ended->sessions);
  } else {
    return std::holds_alternative<wire::Heartbeat>(message);
  }
  return true;
}

/// Open tunnels continue. The server opens no more by itself.
void ClientSession::go_away_received(const wire::GoAway& message) {
  if (!drain_.peer_said(message)) return;
  log::info("server is draining", {{"reason", message.reason}});
  guard_.check_no_call();
  events_.server_drains(*this);
}

void ClientSession::registration_answered(const wire::RegisterAck& answer) {
  deadline_.cancel();
  if (!answer.success) {
    leave(ErrorCode::shutdown,
          "the server refused the registration" + (answer.message.empty() ? answer.message : ": " + answer.message));
    return;
  }
  registered_ = true;
  // A server of ours uses at least one of the extensions that we announce.
  server_ = answer.capabilities.empty() ? RelayPeer::go_server : RelayPeer::exact;
  can_drain_ = answer.can(wire::capability::kDrain);
  control_->start_heartbeats();
  keep_path_alive();
  const bool fragment_sequence = answer.can(wire::capability::kFragSeq);
  const auto early = early_datagrams_->take();
  early_datagrams_.reset();
  udp_ = std::make_unique<ClientUdp>(worker_, *connection_, local_service_, options_.udp_options, fragment_sequence);
  udp_->receive_early(early);
  guard_.check_no_call();
  events_.session_registered(*this);
  for (quic::Stream* const stream : std::exchange(early_, {})) begin_tunnel(*stream);
}

void ClientSession::control_failed(const ControlFailure& failure) {
  if (failure.kind == ControlFailure::Kind::malformed || failure.kind == ControlFailure::Kind::flood) {
    ++worker_.counters.protocol_errors;
  }
  leave(failure.kind == ControlFailure::Kind::ended ? ErrorCode::shutdown : ErrorCode::refused, failure.text);
}

void ClientSession::control_finished() {}

void ClientSession::leave(ErrorCode code, std::string cause) {
  own_cause_ = std::move(cause);
  connection_->close(code, own_cause_);
}

void ClientSession::stream_opened(quic::Connection& /*connection*/, quic::Stream& stream) {
  if (registered_) {
    begin_tunnel(stream);
  } else if (early_.size() < limits::kEarlyStreamsMax) {
    early_.push_back(&stream);
  } else {
    ++worker_.counters.streams_refused;
    stream.reset(ErrorCode::limit_reached);
    stream.stop_reading(ErrorCode::limit_reached);
    stream.release();
  }
}

void ClientSession::begin_tunnel(quic::Stream& stream) {
  tunnels_.emplace(stream.id(), std::make_unique<ClientTunnel>(worker_, local_service_, server_, stream, *this));
  drain_.tunnel_opened();
  if (tunnels_.size() == 1) keep_path_alive();
}

void ClientSession::filler_wanted(quic::Connection& /*connection*/, std::size_t bytes) {
  if (registered_) control_->send_padding(bytes);
}

void ClientSession::tunnel_ended(ClientTunnel& tunnel) {
  const auto found = tunnels_.find(tunnel.stream_id());
  worker_.retired.add(std::move(found->second));
  tunnels_.erase(found);
  if (tunnels_.empty()) keep_path_alive();
}

void ClientSession::keep_path_alive() {
  if (options_.transport.keep_alive_period > Duration::zero()) return;
  connection_->set_keep_alive(tunnels_.empty() ? limits::kIdlePathProbeInterval : limits::kBusyPathProbeInterval);
}

void ClientSession::peer_silent(quic::Connection& /*connection*/) {
  last_rtt_ = connection_->smoothed_rtt();  // a new path begins without one
  // A Go server goes on sending to the port that it knows.
  if (registered_ && server_ == RelayPeer::exact) silent_due_.set(worker_.loop.now() + limits::kSilentPathTimeMax);
}

void ClientSession::peer_heard(quic::Connection& /*connection*/) {
  silent_due_.cancel();
  port_changes_ = 0;
  back_at_ = worker_.loop.now();
  // What was sent into the silence is found to be lost as soon as something later is acknowledged.
  if (registered_) control_->send_heartbeat();
}

/// With a full window nothing is sent but probes, at intervals that double (RFC 9002 section 6.2.1). A new path begins anew, so
/// that one that works again is used within seconds. Otherwise PINGs go on, and the server finds the client at the port it knows.
void ClientSession::silent_for_long() {
  silent_due_.set(worker_.loop.now() + limits::kSilentPathTimeMax);
  if (!connection_->is_window_full() || port_changes_ == limits::kPortChangesMax) return;
  ++port_changes_;
  guard_.check_no_call();
  events_.server_silent(*this);
}

void ClientSession::closed(quic::Connection& connection, const quic::CloseCause& cause) {
  if (connection_ != nullptr && port_changes_ == 0) last_rtt_ = connection.smoothed_rtt();
  deadline_.cancel();
  silent_due_.cancel();
  drain_.cancel();
  if (control_) control_->connection_lost();
  early_datagrams_.reset();
  udp_.reset();
  for (auto& [id, tunnel] : tunnels_) {
    tunnel->connection_lost();
    worker_.retired.add(std::move(tunnel));
  }
  tunnels_.clear();
  worker_.counters.streams_accepted += early_.size();
  worker_.counters.requests_lost += early_.size();
  early_.clear();
  guard_.check_no_call();
  if (!own_cause_.empty()) return events_.session_ended(*this, {.cause = own_cause_});
  events_.session_ended(
      *this, {.cause = describe(cause, Peer::server),
              .remedy = options_.advice != nullptr ? options_.advice->closed(cause, server_entry_) : std::string(),
              .stopping = (cause.kind == quic::CloseCause::Kind::peer_application && cause.orderly()) ||
                          cause.kind == quic::CloseCause::Kind::port_closed});
}

}  // namespace qmux::tunnel

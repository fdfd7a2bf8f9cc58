// SPDX-License-Identifier: MIT
#include "tunnel/server/server_session.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/describe.h"

namespace qmux::tunnel {

using quic::ErrorCode;

namespace {

constexpr const char* kStopping = "the server is stopping";

}  // namespace

ServerSession::ServerSession(WorkerState& worker, std::size_t worker_index, Pool& pool, const OfferRules& offers,
                             const HealthOptions& health, const ServerAdvice* advice, quic::Connection& connection,
                             ServerSessionEvents& events)
    : worker_(worker),
      worker_index_(worker_index),
      pool_(pool),
      offers_(offers),
      health_(health),
      advice_(advice),
      connection_(connection),
      events_(events),
      deadline_(worker.loop.timers(), [this] { time_is_up(); }),
      waiting_too_long_(worker.loop.timers(), [this] { give_up_waiting(); }),
      sign_of_life_(worker, pool, connection, *this),
      drain_(worker.loop, *this) {}

ServerSession::~ServerSession() = default;

void ServerSession::close(ErrorCode code, std::string reason) {
  const auto call = guard_.call();
  connection_.close(code, std::move(reason));
}

void ServerSession::options_changed() {
  const auto call = guard_.call();
  if (control_) control_->set_health(health_);
}

void ServerSession::drain() {
  const auto call = guard_.call();
  draining_ = true;
  if (phase_ == Phase::registered) drain_.begin(kStopping, abilities_.drain);
}

void ServerSession::go_on() {
  const auto call = guard_.call();
  draining_ = false;
  // A client that does not know of drains was asked nothing.
  if (phase_ != Phase::registered || !abilities_.drain) return;
  leaving_ = true;
  pool_.drain(member_);
}

bool ServerSession::is_drained() const noexcept { return phase_ != Phase::registered || !was_used_ || drain_.done(); }

bool ServerSession::is_idle() const {
  // A Go client never ends the streams whose bytes it has left unread.
  const std::size_t control = control_ ? 1 : 0;
  return tunnels_.empty() && waiting_.empty() && (!abilities_.names_instances || connection_.stream_count() <= control);
}

void ServerSession::established(quic::Connection& /*connection*/) {
  if (phase_ == Phase::unregistered) deadline_.set(worker_.loop.now() + limits::kRegisterTimeMax);
}

void ServerSession::stream_opened(quic::Connection& /*connection*/, quic::Stream& stream) {
  if (stream.id() == 0) {
    control_ = std::make_unique<ControlStream>(worker_.loop, stream, health_, *this);
    return;
  }
  // In this protocol a client opens no other stream.
  ++worker_.counters.streams_refused;
  stream.reset(ErrorCode::limit_reached);
  stream.stop_reading(ErrorCode::limit_reached);
  stream.release();
}

bool ServerSession::control_message(const wire::Message& message) {
  if (phase_ == Phase::unregistered) {
    const auto* const request = std::get_if<wire::Register>(&message);
    if (request != nullptr) register_client(*request);
    return request != nullptr;
  }
  if (phase_ == Phase::registered && !pool_.heard_from(member_)) {
    // A newcomer on another worker replaced this member, and the message about it was lost.
    close(ErrorCode::shutdown, "replaced by a newer connection");
    return true;
  }
  if (const auto* const go_away = std::get_if<wire::GoAway>(&message)) {
    go_away_received(*go_away);
  } else if (const auto* const error = std::get_if<wire::ErrorMessage>(&message)) {
    worker_.complaints.reported.write(worker_.loop.now(), log::Level::warn, "client reports an error",
                                      {{"client_id", client_id_}, {"code", error->code}, {"message", error->message}});
  } else {
    return std::holds_alternative<wire::Heartbeat>(message);
  }
  return true;
}

void ServerSession::go_away_received(const wire::GoAway& message) {
  if (!drain_.peer_said(message)) return;
  pool_.drain(member_);
  log::info("client is draining", {{"client_id", client_id_}, {"remote", connection_.remote_address().text()}});
  return_waiting();
}

void ServerSession::register_client(const wire::Register& request) {
  if (draining_) {
    refuse(kStopping);
    return;
  }
  auto abilities = review(request);
  if (!abilities) {
    refuse(abilities.error().what);
    return;
  }
  // A client that takes no datagrams carries no UDP, whatever it announces.
  if (connection_.datagram_room() == 0) abilities->udp = false;
  auto admission = pool_.join({.client_id = request.client_id,
                               .instance = request.instance,
                               .slot = request.slot,
                               .epoch = request.epoch,
                               .worker = worker_index_,
                               .udp = abilities->udp});
  if (!admission) {
    refuse("a newer connection of this client is registered");
    return;
  }
  phase_ = Phase::registered;
  deadline_.cancel();
  abilities_ = *abilities;
  client_id_ = request.client_id;
  instance_ = request.instance;
  member_ = admission->member;
  sign_of_life_.begin(member_, client_id_);
  connection_.mark_proven();
  ++worker_.counters.clients_registered;
  control_->send(wire::RegisterAck{.success = true, .message = "registered", .capabilities = words_of(abilities_)});
  control_->start_heartbeats();
  log::info("client registered", {{"client_id", client_id_},
                                  {"remote", connection_.remote_address().text()},
                                  {"certificate", connection_.peer_name()},
                                  {"replaces", admission->replaced.has_value()}});
  if (admission->has_namesake) {
    log::info("another client with this client_id is registered",
              {{"client_id", client_id_}, {"remote", connection_.remote_address().text()}});
  }
  guard_.check_no_call();
  events_.session_registered(*this, *admission);
}

void ServerSession::refuse(const std::string& reason) {
  phase_ = Phase::refused;
  refusal_ = reason;
  ++worker_.counters.clients_refused;
  worker_.complaints.refused.write(worker_.loop.now(), log::Level::warn, "client refused",
                                   {{"remote", connection_.remote_address().text()}, {"reason", reason}});
  control_->send(wire::RegisterAck{.success = false, .message = reason, .capabilities = {}});
  control_->finish();
  deadline_.set(worker_.loop.now() + limits::kRefusalLingerTimeMax);
}

void ServerSession::control_failed(const ControlFailure& failure) {
  if (failure.kind == ControlFailure::Kind::ended) {
    close(ErrorCode::shutdown, failure.text);
    return;
  }
  if (phase_ == Phase::unregistered) ++worker_.counters.clients_refused;
  if (failure.kind != ControlFailure::Kind::silent) ++worker_.counters.protocol_errors;
  worker_.complaints.disconnected.write(
      worker_.loop.now(), log::Level::warn, "closing the connection of a client",
      {{"client_id", client_id_}, {"remote", connection_.remote_address().text()}, {"cause", failure.text}});
  close(ErrorCode::refused, failure.text);
}

void ServerSession::control_finished() { close(ErrorCode::refused, refusal_); }

void ServerSession::time_is_up() {
  if (phase_ == Phase::refused) {
    close(ErrorCode::refused, refusal_);
  } else {
    ++worker_.counters.clients_refused;
    close(ErrorCode::refused, "no registration in time");
  }
}

bool ServerSession::take(AssignedVisitor& assigned) {
  const auto call = guard_.call();
  if (phase_ != Phase::registered || drain_.is_asked()) return false;
  if (waiting_.empty()) {
    if (quic::Stream* const stream = connection_.open_stream()) {
      open_tunnel(std::move(assigned), *stream);
      return true;
    }
    pool_.set_stream_credit(member_, false);
  }
  if (waiting_.size() >= limits::kVisitorsAwaitingCreditMax) return false;
  const Time until = std::min(worker_.loop.now() + limits::kStreamCreditWaitTimeMax, assigned.visitor.deadline);
  waiting_.push_back({.assigned = std::move(assigned), .until = until});
  give_up_waiting_at(until);
  return true;
}

void ServerSession::open_tunnel(AssignedVisitor assigned, quic::Stream& stream) {
  auto tunnel = std::make_unique<ServerTunnel>(worker_, offers_, abilities_, std::move(assigned), stream,
                                               limits::kPromptAckTimeMax + 4 * connection_.smoothed_rtt(), *this);
  tunnels_.emplace(stream.id(), std::move(tunnel));
  was_used_ = true;
  drain_.tunnel_opened();
  if (offers_.handover == Handover::eager) sign_of_life_.watch_offers();
}

/// What was sent into the silence is found to be lost as soon as something later is acknowledged. By itself it would be sent
/// again only after as long as the silence has lasted (RFC 9002 section 6.2.1).
void ServerSession::peer_heard(quic::Connection& /*connection*/) {
  back_at_ = worker_.loop.now();
  sign_of_life_.peer_heard();
  if (phase_ == Phase::registered) ask_for_sign_of_life();
}

void ServerSession::ask_for_sign_of_life() { control_->send_heartbeat(); }

bool ServerSession::has_offers() const {
  return std::ranges::any_of(tunnels_, [](const auto& each) { return each.second->is_offer(); });
}

void ServerSession::client_registered(const ClientRegistered& newcomer) {
  const auto call = guard_.call();
  const bool same_process = newcomer.member == member_ || (!instance_.empty() && newcomer.instance == instance_);
  if (newcomer.client_id == client_id_ && !same_process) sign_of_life_.doubt();
}

bool ServerSession::notify_udp_end(const std::vector<std::uint32_t>& sessions) {
  const auto call = guard_.call();
  if (control_->has_backlog()) return false;
  control_->send(wire::UdpEnd{.sessions = sessions});
  return true;
}

void ServerSession::take_back_visitors() {
  for (auto next = tunnels_.begin(); next != tunnels_.end();) {
    ServerTunnel& tunnel = *(next++)->second;  // which may go now
    if (auto returned = tunnel.take_back()) tunnel_ended(tunnel, std::move(returned));
  }
}

void ServerSession::stream_credit(quic::Connection& /*connection*/) { serve_waiting(); }

void ServerSession::serve_waiting() {
  while (!waiting_.empty()) {
    quic::Stream* const stream = connection_.open_stream();
    if (stream == nullptr) return;
    AssignedVisitor assigned = std::move(waiting_.front().assigned);
    waiting_.pop_front();
    open_tunnel(std::move(assigned), *stream);
  }
  waiting_too_long_.cancel();
  pool_.set_stream_credit(member_, true);
}

/// At that time or earlier: a visitor near its deadline waits less than others.
void ServerSession::give_up_waiting_at(Time until) {
  if (waiting_too_long_.is_set() && next_give_up_ <= until) return;
  next_give_up_ = until;
  waiting_too_long_.set(until);
}

void ServerSession::give_up_waiting() {
  const Time now = worker_.loop.now();
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    Waiting each = std::move(waiting_.front());
    waiting_.pop_front();
    if (each.until > now) {
      give_up_waiting_at(each.until);
      waiting_.push_back(std::move(each));
    } else {
      guard_.check_no_call();
      // It may come back, behind those that are processed now.
      events_.visitor_returned(std::move(each.assigned));
    }
  }
}

void ServerSession::filler_wanted(quic::Connection& /*connection*/, std::size_t bytes) {
  if (phase_ == Phase::registered) control_->send_padding(bytes);
}

void ServerSession::service_reached() {
  if (!pool_.dial_succeeded(member_)) return;
  worker_.complaints.service_reached.write(
      worker_.loop.now(), log::Level::info, "client reaches its local service again",
      {{"client_id", client_id_}, {"remote", connection_.remote_address().text()}});
}

void ServerSession::service_not_reached() { avoid("client cannot reach its local service"); }

void ServerSession::service_not_reached_promptly() { avoid("client does not reach its local service promptly"); }

void ServerSession::avoid(std::string_view event) {
  const auto avoided = pool_.dial_failed(member_, worker_.loop.now());
  if (!avoided) return;
  worker_.complaints.service_not_reached.write(worker_.loop.now(), log::Level::info, event,
                                               {{"client_id", client_id_},
                                                {"remote", connection_.remote_address().text()},
                                                {"others_first_ms", milliseconds(*avoided)}});
}

void ServerSession::tunnel_ended(ServerTunnel& tunnel, std::optional<AssignedVisitor> returned) {
  const auto found = tunnels_.find(tunnel.stream_id());
  worker_.retired.add(std::move(found->second));
  tunnels_.erase(found);
  guard_.check_no_call();
  if (returned) events_.visitor_returned(std::move(*returned));
}

void ServerSession::closed(quic::Connection& connection, const quic::CloseCause& cause) {
  if (phase_ == Phase::registered) {
    log::info("client disconnected", {{"client_id", client_id_},
                                      {"remote", connection.remote_address().text()},
                                      {"tunnels", tunnels_.size()},
                                      {"cause", describe(cause, Peer::client)}});
  } else {
    std::vector<log::Field> fields{{"remote", connection.remote_address().text()},
                                   {"cause", describe(cause, Peer::client)}};
    const std::string remedy = advice_ != nullptr ? advice_->closed(cause) : std::string();
    if (!remedy.empty()) fields.emplace_back("remedy", remedy);
    worker_.complaints.not_registered.write(worker_.loop.now(), log::Level::info,
                                            "connection ended before registration", fields);
  }
  phase_ = Phase::closed;
  deadline_.cancel();
  waiting_too_long_.cancel();
  sign_of_life_.end();
  drain_.cancel();
  if (control_) control_->connection_lost();
  pool_.leave(member_);
  std::vector<AssignedVisitor> returned;
  for (auto& [id, tunnel] : tunnels_) {
    if (auto visitor = tunnel->connection_lost()) returned.push_back(std::move(*visitor));
    worker_.retired.add(std::move(tunnel));
  }
  tunnels_.clear();
  guard_.check_no_call();
  for (AssignedVisitor& each : returned) events_.visitor_returned(std::move(each));
  return_waiting();
  events_.session_ended(*this);
}

void ServerSession::return_waiting() {
  guard_.check_no_call();
  for (auto waiting = std::exchange(waiting_, {}); Waiting & each : waiting) {
    events_.visitor_returned(std::move(each.assigned));
  }
}

}  // namespace qmux::tunnel

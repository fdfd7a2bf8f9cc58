// SPDX-License-Identifier: MIT
#include "tunnel/client/server_link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tunnel/limits.h"

namespace qmux::tunnel {

ServerLink::ServerLink(WorkerState& worker, ReadyNotice& ready, const ClientOptions& options, std::string instance,
                       ServerEntry server, const Address& address, std::uint32_t slot)
    : worker_(worker),
      ready_(ready),
      options_(options),
      instance_(std::move(instance)),
      server_(std::move(server)),
      address_(address),
      slot_(slot),
      backoff_(options.backoff_time_max),
      next_step_(worker.loop.timers(), [this] { next_step(); }),
      slow_(worker.loop.timers(), [this] { announce_delay(); }),
      sessions_(worker),
      end_step_(worker.loop.timers(), [this] { next_step_of_end(); }) {}

ServerLink::~ServerLink() = default;

void ServerLink::start() { next_step_.set(worker_.loop.now()); }

// --- connecting -------------------------------------------------------------------------------------------------------

void ServerLink::next_step() {
  if (!race_.is_over()) return try_addresses();
  announce();
  failed_here_ = true;
  if (address_.specified()) return resolved(std::vector{address_});
  resolution_ = worker_.loop.resolve(
      server_.address, [this](Result<std::vector<Address>> addresses) { resolved(std::move(addresses)); });
}

void ServerLink::announce() {
  if (std::exchange(announced_, true)) return;
  std::vector<log::Field> fields = server_fields();
  fields.emplace_back("timeout_ms", milliseconds(options_.transport.handshake_timeout));
  log::write(log::Level::info, "connecting", fields);
  slow_.set(worker_.loop.now() + limits::kSlowAttempt);
}

std::vector<log::Field> ServerLink::server_fields() const {
  std::vector<log::Field> fields{{"server", server_.address.text()}};
  if (address_.specified()) fields.emplace_back("address", address_.text());
  return fields;
}

void ServerLink::announce_delay() {
  std::vector<log::Field> fields{{"server", server_.address.text()}};
  const LinkSessions::Entry* const current = sessions_.find(Role::current);
  const LinkSessions::Entry* const tried = current != nullptr ? current : sessions_.find(Role::connecting);
  if (tried != nullptr) fields.emplace_back("address", tried->remote.text());
  fields.emplace_back("waiting_for", resolution_          ? "the name to be resolved"
                                     : current != nullptr ? "the answer to the registration"
                                                          : "an answer");
  log::write(log::Level::info, "still connecting", fields);
}

void ServerLink::resolved(Result<std::vector<Address>> addresses) {
  resolution_.reset();
  if (addresses && !addresses->empty()) {
    race_.begin(*addresses);
    try_addresses();
    return;
  }
  address_failed({},
                 {.cause = addresses ? "the name has no addresses" : addresses.error().text(),
                  .remedy = options_.advice != nullptr ? options_.advice->unresolved(server_) : std::string()},
                 Where::here);
}

void ServerLink::try_addresses() {
  while (const auto address = race_.next(worker_.loop.now())) connect(*address);
  if (!race_.is_over()) next_step_.set(race_.next_start());
}

void ServerLink::connect(const Address& remote) {
  wire::Register introduction{
      .client_id = options_.client_id,
      .version = std::string(wire::kProtocolVersion),
      .capabilities = {std::string(wire::capability::kTcp), std::string(wire::capability::kUdp),
                       std::string(wire::capability::kConnAck), std::string(wire::capability::kFragSeq),
                       std::string(wire::capability::kUdpEnd), std::string(wire::capability::kDrain)},
      .instance = instance_,
      .slot = slot_,
      .epoch = ++epoch_};
  auto endpoint = std::make_unique<quic::Endpoint>(worker_.loop, worker_.chunks,
                                                   quic::EndpointOptions{.transport = options_.transport,
                                                                         .credentials = options_.credentials,
                                                                         .worker = {},
                                                                         .counters = &worker_.counters.quic});
  auto session = std::make_unique<ClientSession>(worker_, options_, server_, std::move(introduction), *this);
  const KnownAddress known = known_.find(remote);
  auto connection = endpoint->connect(remote, server_.server_name, known.token, *session, known.rtt);
  if (!connection) return address_failed(remote, {.cause = connection.error().text()}, Where::here);
  sessions_.add(std::move(session), std::move(endpoint), remote);
}

void ServerLink::session_established(ClientSession& session) {
  LinkSessions::Entry& first = sessions_.of(session);
  first.role = Role::current;
  race_.handshake_completed(first.remote);
  next_step_.cancel();
  for (LinkSessions::Entry& each : sessions_.entries()) {
    if (each.role != Role::connecting) continue;
    each.role = Role::unwanted;
    each.endpoint->close_all(quic::ErrorCode::shutdown, "another address of the server was faster");
  }
}

void ServerLink::address_failed(const Address& remote, const SessionEnd& why, Where where) {
  const Time now = worker_.loop.now();
  if (where == Where::there) failed_here_ = false;
  race_.failed(remote);
  if (!race_.is_over()) {
    log_failure("server not reached", remote, why, std::nullopt);
    next_step_.set(std::max(now, race_.next_start()));
    return;
  }
  slow_.cancel();
  Duration wait = backoff_.next(worker_.loop.random());
  // A wait spares the server. When this machine has no network, a short wait notices sooner that it is back.
  if (failed_here_) wait = std::min<Duration>(wait, limits::kLocalRetryTimeMax);
  wait = std::min(wait, longest_wait());
  log_failure("server not reached", remote, why, wait);
  next_step_.set(now + wait);
}

// --- serving ----------------------------------------------------------------------------------------------------------

void ServerLink::session_registered(ClientSession& session) {
  restart_expected_until_ = Time::min();
  registered_at_ = worker_.loop.now();
  race_.end();  // once lost, the name is looked up again
  failed_here_ = false;
  slow_.cancel();
  announced_ = false;
  log::info("server connected", {{"server", server_.address.text()}, {"address", sessions_.of(session).remote.text()}});
  ready_.server_accepted();
}

bool ServerLink::is_registered() const noexcept {
  const LinkSessions::Entry* const current = sessions_.find(Role::current);
  return current != nullptr && current->session->is_registered();
}

void ServerLink::server_drains(ClientSession& session) {
  LinkSessions::Entry& entry = sessions_.of(session);
  if (entry.role != Role::current || is_leaving()) return;
  slow_.cancel();
  restart_expected_until_ = worker_.loop.now() + limits::kRestartTimeMax;
  entry.role = Role::leaving;
  // A server that sends away each connection at once must not make us collect them.
  if (sessions_.count(Role::leaving) > limits::kLeavingSessionsMax) {
    sessions_.find(Role::leaving)
        ->endpoint->close_all(quic::ErrorCode::shutdown, "too many connections to servers that stop");
  }
  next_step_.set(worker_.loop.now() + random_wait(limits::kRestartRetryInterval));
}

void ServerLink::server_silent(ClientSession& session) {
  quic::Endpoint& endpoint = *sessions_.of(session).endpoint;
  if (!endpoint.change_port()) return;
  log::debug("server is silent: from another port",
             {{"server", server_.address.text()}, {"source", endpoint.local_address().text()}});
}

void ServerLink::session_ended(ClientSession& session, const SessionEnd& end) {
  const bool was_registered = session.is_registered();
  LinkSessions::Entry ended = sessions_.take(session);
  known_.learn(ended.remote, ended.endpoint->server_token(), session.last_rtt());
  worker_.retired.add(std::move(ended.session));
  if (ended.role == Role::unwanted) return;
  if (ended.role == Role::leaving) {
    log::info("server that stops disconnected", {{"server", server_.address.text()}, {"cause", end.cause}});
    return;
  }
  if (end.stopping) restart_expected_until_ = worker_.loop.now() + limits::kRestartTimeMax;
  if (is_leaving()) return;
  if (!was_registered) return address_failed(ended.remote, end, Where::there);
  if (worker_.loop.now() - registered_at_ >= limits::kStableSessionTimeMin) backoff_.reset();
  const Duration wait = std::min(backoff_.next(worker_.loop.random()), longest_wait());
  log_failure("server disconnected", ended.remote, end, wait);
  next_step_.set(worker_.loop.now() + wait);
}

void ServerLink::options_changed() {
  backoff_.set_wait_time_max(options_.backoff_time_max);
  for (const LinkSessions::Entry& each : sessions_.entries()) each.session->options_changed();
  wait_no_longer();
}

void ServerLink::machine_woke(Duration asleep) {
  for (const LinkSessions::Entry& each : sessions_.entries()) each.session->machine_woke(asleep);
  wait_no_longer();
}

void ServerLink::wait_no_longer() {
  if (is_leaving()) return;
  backoff_.reset();
  if (race_.is_over() && next_step_.is_set()) next_step_.set(worker_.loop.now());
}

void ServerLink::network_changed() {
  for (const LinkSessions::Entry& each : sessions_.entries()) {
    if (each.role != Role::unwanted && each.endpoint->follow_network()) {
      log::info("network changed",
                {{"server", server_.address.text()}, {"source", each.endpoint->local_address().text()}});
    }
  }
  if (failed_here_ && race_.is_over() && next_step_.is_set()) next_step_.set(worker_.loop.now());
}

std::size_t ServerLink::tunnel_count() const noexcept {
  std::size_t count = 0;
  for (const LinkSessions::Entry& each : sessions_.entries()) count += each.session->tunnel_count();
  return count;
}

// --- what both need -------------------------------------------------------------------------------------------------------

void ServerLink::log_failure(std::string_view event, const Address& remote, const SessionEnd& why,
                             std::optional<Duration> retry_in) const {
  std::vector<log::Field> fields{{"server", server_.address.text()}};
  if (remote.specified()) fields.emplace_back("address", remote.text());
  fields.emplace_back("cause", why.cause);
  if (!why.remedy.empty()) fields.emplace_back("remedy", why.remedy);
  if (retry_in) {
    fields.emplace_back("retry_in_ms", milliseconds(*retry_in));
  } else {
    fields.emplace_back("other_addresses", race_.remaining());
  }
  log::write(log::Level::warn, event, fields);
}

Duration ServerLink::longest_wait() const {
  if (worker_.loop.now() >= restart_expected_until_) return options_.backoff_time_max;
  return limits::kRestartRetryInterval / 2 + random_wait(limits::kRestartRetryInterval / 2);
}

/// So that the clients of one server do not come all at once.
Duration ServerLink::random_wait(Duration time_max) const {
  return Duration(
      static_cast<Duration::rep>(worker_.loop.random().below(static_cast<std::uint64_t>(time_max.count()))));
}

}  // namespace qmux::tunnel

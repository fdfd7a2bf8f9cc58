// SPDX-License-Identifier: MIT
#include "tunnel/client/server_link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
ServerLink::ServerLink(WorkerState& worker, ReadyNotice& ready, const ClientOptions& options, std::string instance,
                       std::uint32_t server_index)
    : worker_(worker),
      ready_(ready),
      options_(options),
      server_(options.servers[server_index]),
      instance_(std::move(instance)),
      server_index_(server_index),
      backoff_(options.backoff_time_max),
      next_step_(worker.loop.timers(), [this] { attempt(); }),
      slow_(worker.loop.timers(), [this] { announce_delay(); }) {}

ServerLink::~ServerLink() = default;

void ServerLink::start() { next_step_.set(worker_.loop.now()); }

void ServerLink::attempt() {
  if (next_address_ < addresses_.size()) {
    connect_next();
    return;
  }
  announce();
  resolution_ = worker_.loop.resolve(
      server_.address, [this](Result<std::vector<Address>> addresses) { resolved(std::move(addresses)); });
}

void ServerLink::announce() {
  if (std::exchange(announced_, true)) return;
  log::info("connecting",
            {{"server", server_.address.text()}, {"timeout_ms", milliseconds(options_.transport.handshake_timeout)}});
  slow_.set(worker_.loop.now() + limits::kSlowAttempt);
}

void ServerLink::announce_delay() {
  std::vector<log::Field> fields{{"server", server_.address.text()}};
  if (current_.session) fields.emplace_back("address", remote_.text());
  fields.emplace_back("waiting_for", resolution_                          ? "the name to be resolved"
                                     : current_.session->is_established() ? "the answer to the registration"
                                                                          : "an answer");
  log::write(log::Level::info, "still connecting", fields);
}

void ServerLink::resolved(Result<std::vector<Address>> addresses) {
  resolution_.reset();
  next_address_ = 0;
  addresses_.clear();
  remote_ = {};
  if (addresses && !addresses->empty()) {
    addresses_ = std::move(*addresses);
    connect_next();
    return;
  }
  failed({.cause = addresses ? "the name has no addresses" : addresses.error().text(),
          .remedy = options_.advice != nullptr ? options_.advice->unresolved(server_index_) : std::string()},
         Where::here);
}

void ServerLink::connect_next() {
  remote_ = addresses_[next_address_++];
  wire::Register introduction{
      .client_id = options_.client_id,
      .version = std::string(wire::kProtocolVersion),
      .capabilities = {std::string(wire::capability::kTcp), std::string(wire::capability::kUdp),
                       std::string(wire::capability::kConnAck), std::string(wire::capability::kFragSeq),
                       std::string(wire::capability::kUdpEnd), std::string(wire::capability::kDrain)},
      .instance = instance_,
      .slot = server_index_,
      .epoch = ++epoch_};
  auto endpoint = std::make_unique<quic::Endpoint>(worker_.loop, worker_.chunks,
                                                   quic::EndpointOptions{.transport = options_.transport,
                                                                         .credentials = options_.credentials,
                                                                         .worker = {},
                                                                         .counters = &worker_.counters.quic});
  auto session = std::make_unique<ClientSession>(worker_, options_, std::move(introduction), *this);
  const ConstBytes token = address_token_from_ == remote_ ? ConstBytes(address_token_) : ConstBytes();
  auto connection = endpoint->connect(remote_, server_.server_name, token, *session);
  if (!connection) {
    failed({.cause = connection.error().text()}, Where::here);
    return;
  }
  current_ = {.session = std::move(session), .endpoint = endpoint.get()};
  endpoints_.push_back(std::move(endpoint));
}

void ServerLink::session_registered() {
  restart_expected_until_ = Time::min();
  registered_at_ = worker_.loop.now();
  next_address_ = addresses_.size();  // once lost, the name is looked up again
  slow_.cancel();
  announced_ = false;
  log::info("server connected", {{"server", server_.address.text()}, {"address", remote_.text()}});
  ready_.server_accepted();
}

void ServerLink::server_drains(ClientSession& session) {
  if (&session != current_.session.get() || stopping_) return;
  slow_.cancel();
  restart_expected_until_ = worker_.loop.now() + limits::kRestartTimeMax;
  leaving_.push_back(std::exchange(current_, {}));
  // A server that sends away each connection at once must not make us collect them.
  if (leaving_.size() > limits::kLeavingSessionsMax) {
    leaving_.front().endpoint->close_all(quic::ErrorCode::shutdown, "too many connections to servers that stop");
  }
  next_step_.set(worker_.loop.now() + random_wait(limits::kRestartRetryInterval));
}

void ServerLink::session_ended(ClientSession& session, const SessionEnd& end) {
  const bool is_current = &session == current_.session.get();
  const bool was_registered = session.is_registered();
  Serving ended;
  if (is_current) {
    ended = std::exchange(current_, {});
  } else {
    const auto found = std::ranges::find(leaving_, &session, [](const Serving& each) { return each.session.get(); });
    CHECK(found != leaving_.end());
    ended = std::move(*found);
    leaving_.erase(found);
  }
  worker_.retired.add(std::move(ended.session));
  if (const auto& token = ended.endpoint->server_token(); is_current && !token.empty()) {
    address_token_ = token;
    address_token_from_ = remote_;
  }
  if (!is_current) {
    log::info("server that stops disconnected", {{"server", server_.address.text()}, {"cause", end.cause}});
    return;
  }
  if (end.stopping) restart_expected_until_ = worker_.loop.now() + limits::kRestartTimeMax;
  if (stopping_) return;
  if (!was_registered) {
    failed(end, Where::there);
    return;
  }
  if (worker_.loop.now() - registered_at_ >= limits::kStableSessionTimeMin) backoff_.reset();
  const Duration wait = std::min(backoff_.next(worker_.loop.random()), longest_wait());
  log_failure("server disconnected", end, wait);
  next_step_.set(worker_.loop.now() + wait);
}

void ServerLink::failed(const SessionEnd& why, Where where) {
  slow_.cancel();
  failed_here_ = where == Where::here;
  const bool other_address = next_address_ < addresses_.size();
  Duration wait = other_address ? Duration::zero() : backoff_.next(worker_.loop.random());
  // A wait spares the server. When this machine has no network, a short wait notices sooner that it is back.
  if (where == Where::here) wait = std::min<Duration>(wait, limits::kLocalRetryTimeMax);
  wait = std::min(wait, longest_wait());
  log_failure("server not reached", why, wait);
  next_step_.set(worker_.loop.now() + wait);
}

void ServerLink::log_failure(std::string_view event, const SessionEnd& why, Duration retry_in) const {
  std::vector<log::Field> fields{{"server", server_.address.text()}};
  if (remote_.specified()) fields.emplace_back("address", remote_.text());
  fields.emplace_back("cause", why.cause);
  if (!why.remedy.empty()) fields.emplace_back("remedy", why.remedy);
  fields.emplace_back("retry_in_ms", milliseconds(retry_in));
  log::write(log::Level::warn, event, fields);
}

void ServerLink::network_changed() {
  for (const auto& endpoint : endpoints_) {
    if (owns(endpoint.get()) && endpoint->follow_network()) {
      log::info("network changed", {{"server", server_.address.text()}, {"source", endpoint->local_address().text()}});
    }
  }
  if (failed_here_ && next_step_.is_set()) next_step_.set(worker_.loop.now());
}

void ServerLink::drain() {
  stopping_ = true;
  next_step_.cancel();
  slow_.cancel();
  resolution_.reset();
  each_session([](ClientSession& session) { session.drain(); });
  // One that is not registered yet must not become so.
  if (current_.session && !current_.session->is_registered()) {
    current_.endpoint->close_all(quic::ErrorCode::shutdown, "client is stopping");
  }
}

bool ServerLink::is_drained() const noexcept {
  bool drained = true;
  each_session([&](const ClientSession& session) { drained = drained && session.is_drained(); });
  return drained;
}

std::size_t ServerLink::tunnel_count() const noexcept {
  std::size_t count = 0;
  each_session([&](const ClientSession& session) { count += session.tunnel_count(); });
  return count;
}

bool ServerLink::return_visitors() {
  bool any = false;
  each_session([&](ClientSession& session) { any |= session.return_visitors(); });
  return any;
}

void ServerLink::stop() {
  // A server that we are not registered with is notified once, in this pass: it keeps no state of ours.
  close_awaited_ = is_registered() || !leaving_.empty();
  for (const auto& endpoint : endpoints_) endpoint->close_all(quic::ErrorCode::shutdown, "client is stopping");
}

bool ServerLink::stopped() const noexcept { return stopping_ && (endpoints_.empty() || !close_awaited_); }

void ServerLink::forget_finished() {
  // Beyond a few, closing connections are dropped: a server that refuses at once must not make us collect sockets.
  std::erase_if(endpoints_, [](const auto& endpoint) { return endpoint->connection_count() == 0; });
  const std::size_t in_use = leaving_.size() + (current_.session ? 1 : 0);
  std::size_t surplus = endpoints_.size() - std::min(endpoints_.size(), in_use + limits::kClosingEndpointsMax);
  std::erase_if(endpoints_, [&](const auto& endpoint) {
    if (surplus == 0 || owns(endpoint.get())) return false;
    --surplus;
    worker_.counters.quic.closing_forgotten += endpoint->connection_count();
    return true;
  });
}

bool ServerLink::owns(const quic::Endpoint* endpoint) const noexcept {
  return (current_.session && current_.endpoint == endpoint) ||
         std::ranges::find(leaving_, endpoint, &Serving::endpoint) != leaving_.end();
}

template <typename Function>
void ServerLink::each_session(Function function) const {
  if (current_.session) function(*current_.session);
  for (const Serving& each : leaving_) function(*each.session);
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

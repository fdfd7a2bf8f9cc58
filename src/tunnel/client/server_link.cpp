// SPDX-License-Identifier: MIT
#include "tunnel/client/server_link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

ServerLink::ServerLink(WorkerState& worker, ReadyNotice& ready, const ClientOptions& options, std::string instance,
                       std::uint32_t slot)
    : worker_(worker),
      ready_(ready),
      options_(options),
      server_(options.servers[slot]),
      instance_(std::move(instance)),
      slot_(slot),
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
  if (session_) fields.emplace_back("address", remote_.text());
  fields.emplace_back("waiting_for", resolution_                  ? "the name to be resolved"
                                     : session_->is_established() ? "the answer to the registration"
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
          .remedy = options_.advice != nullptr ? options_.advice->unresolved(slot_) : std::string()},
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
      .slot = slot_,
      .epoch = ++epoch_};
  auto endpoint = std::make_unique<quic::Endpoint>(worker_.loop, worker_.chunks,
                                                   quic::EndpointOptions{.transport = options_.transport,
                                                                         .credentials = options_.credentials,
                                                                         .worker = {},
                                                                         .counters = &worker_.counters.quic});
  session_ = std::make_unique<ClientSession>(worker_, options_, std::move(introduction), *this);
  const ConstBytes token = address_token_from_ == remote_ ? ConstBytes(address_token_) : ConstBytes();
  auto connection = endpoint->connect(remote_, server_.server_name, token, *session_);
  if (!connection) {
    session_.reset();
    failed({.cause = connection.error().text()}, Where::here);
    return;
  }
  endpoints_.push_back(std::move(endpoint));
}

void ServerLink::session_registered() {
  registered_at_ = worker_.loop.now();
  next_address_ = addresses_.size();  // once lost, the name is looked up again
  slow_.cancel();
  announced_ = false;
  log::info("server connected", {{"server", server_.address.text()}, {"address", remote_.text()}});
  ready_.server_accepted();
}

void ServerLink::session_ended(const SessionEnd& end) {
  const bool was_registered = session_->is_registered();
  worker_.retired.add(std::move(session_));
  if (const auto& token = endpoints_.back()->server_token(); !token.empty()) {
    address_token_ = token;
    address_token_from_ = remote_;
  }
  if (stopping_) return;
  if (!was_registered) {
    failed(end, Where::there);
    return;
  }
  if (worker_.loop.now() - registered_at_ >= limits::kStableSessionTimeMin) backoff_.reset();
  const Duration wait = backoff_.next(worker_.loop.random());
  log_failure("server disconnected", end, wait);
  next_step_.set(worker_.loop.now() + wait);
}

void ServerLink::failed(const SessionEnd& why, Where where) {
  slow_.cancel();
  const bool other_address = next_address_ < addresses_.size();
  Duration wait = other_address ? Duration::zero() : backoff_.next(worker_.loop.random());
  // A wait spares the server. When this machine has no network, a short wait notices sooner that it is back.
  if (where == Where::here) wait = std::min<Duration>(wait, limits::kLocalRetryTimeMax);
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

void ServerLink::stop() {
  stopping_ = true;
  // A server that we are not registered with is notified once, in this pass: it keeps no state of ours.
  close_awaited_ = is_registered();
  next_step_.cancel();
  slow_.cancel();
  resolution_.reset();
  for (const auto& endpoint : endpoints_) endpoint->close_all(quic::ErrorCode::shutdown, "client is stopping");
}

bool ServerLink::stopped() const noexcept { return stopping_ && (endpoints_.empty() || !close_awaited_); }

void ServerLink::forget_finished() {
  // Beyond a few, closing connections are dropped: a server that refuses at once must not make us collect sockets.
  constexpr std::size_t kFarewellsMax = 4;
  const std::size_t in_use = session_ ? 1 : 0;
  while (endpoints_.size() > in_use + kFarewellsMax) {
    worker_.counters.quic.closing_forgotten += endpoints_.front()->connection_count();
    endpoints_.erase(endpoints_.begin());
  }
  std::erase_if(endpoints_, [](const auto& endpoint) { return endpoint->connection_count() == 0; });
}

}  // namespace qmux::tunnel

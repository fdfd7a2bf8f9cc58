// SPDX-License-Identifier: MIT
#include "tunnel/client/client_udp.h"

#include <utility>

#include "base/log.h"

namespace qmux::tunnel {

ClientUdp::ClientUdp(WorkerState& worker, quic::Connection& connection, LocalService& service,
                     const UdpOptions& options, bool fragment_sequence)
    : worker_(worker),
      service_(service),
      options_(options),
      channel_(worker.udp, connection, options, fragment_sequence, *this),
      idle_(worker.loop.timers(), [this] { end_idle(); }) {}

ClientUdp::~ClientUdp() {
  worker_.counters.udp.sessions_lost += sessions_.size();
  while (!sessions_.empty()) end(sessions_.oldest());
}

void ClientUdp::receive_early(const EarlyDatagrams::Datagrams& early) {
  for (const auto& datagram : early) {
    if (const auto payload = channel_.receive_early(datagram)) payload_received(payload->session, payload->bytes);
  }
}

void ClientUdp::payload_received(std::uint32_t id, ConstBytes payload) {
  const auto session = find_or_begin(id);
  sessions_.used(session, worker_.loop.now());
  if (!session->is_open()) open(*session);
  session->deliver(payload);
}

ClientUdp::Sessions::Place ClientUdp::find_or_begin(std::uint32_t id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) return found->second;
  if (sessions_.size() >= options_.sessions_max) {
    ++worker_.counters.udp.sessions_evicted;
    end(sessions_.next_to_evict());
  }
  const auto session =
      sessions_.add(worker_.loop.now(), worker_, channel_.sender(), id, static_cast<ClientUdpSessionEvents&>(*this));
  by_id_.emplace(id, session);
  ++worker_.counters.udp.sessions_opened;
  if (!idle_.is_set()) idle_.set(worker_.loop.now() + options_.session_idle_timeout);
  return session;
}

void ClientUdp::open(ClientUdpSession& session) {
  const auto* const addresses = service_.known();
  if (addresses == nullptr) {
    service_.wait_for_addresses(*this);
  } else if (*addresses) {
    session.open(**addresses);
  }  // otherwise the next payload looks up again
}

void ClientUdp::session_answered(ClientUdpSession& session) {
  sessions_.answered(by_id_.find(session.id())->second, worker_.loop.now());
}

void ClientUdp::end(Sessions::Place session) {
  by_id_.erase(session->id());
  channel_.forget_session(session->id());
  sessions_.erase(session);
}

void ClientUdp::end_sessions(std::span<const std::uint32_t> ids) {
  for (const std::uint32_t id : ids) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) continue;
    ++worker_.counters.udp.sessions_closed;
    end(found->second);
  }
}

void ClientUdp::end_idle() {
  const Time now = worker_.loop.now();
  while (!sessions_.empty() && sessions_.oldest()->last_used + options_.session_idle_timeout <= now) {
    ++worker_.counters.udp.sessions_idle;
    end(sessions_.oldest());
  }
  if (!sessions_.empty()) idle_.set(sessions_.oldest()->last_used + options_.session_idle_timeout);
}

void ClientUdp::service_found(const Result<LocalService::Addresses>& addresses) {
  if (!addresses) {
    worker_.complaints.unreachable.write(worker_.loop.now(), log::Level::warn, "local service not found",
                                         {{"service", service_.address().text()}, {"cause", addresses.error().text()}});
  }
  const std::span<const Address> found = addresses ? std::span<const Address>(*addresses) : std::span<const Address>();
  sessions_.for_each([found](ClientUdpSession& session) {
    if (!session.is_open()) session.open(found);
  });
}

}  // namespace qmux::tunnel

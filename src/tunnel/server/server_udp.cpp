// SPDX-License-Identifier: MIT
#include "tunnel/server/server_udp.h"

#include <utility>

namespace qmux::tunnel {

ServerUdp::ServerUdp(WorkerState& worker, ServerSession& session, const UdpOptions& options, UdpEventQueue& event_queue,
                     ServerUdpEvents& events)
    : worker_(worker),
      options_(options),
      event_queue_(event_queue),
      events_(events),
      notifies_ends_(session.abilities().udp_end),
      channel_(worker.udp, session.connection(), options, session.abilities().frag_seq, *this),
      end_notice_(worker.loop, worker.counters.udp.ends_dropped,
                  [&session](const auto& sessions) { return session.notify_udp_end(sessions); }),
      by_visitor_(0, UdpVisitor::Hash{worker.loop.random().next_u64()}),
      idle_(worker.loop.timers(), [this] { end_idle(); }) {}

ServerUdp::~ServerUdp() {
  worker_.counters.udp.sessions_lost += sessions_.size();
  while (!sessions_.empty()) end(sessions_.oldest());
}

void ServerUdp::open(AssignedUdpVisitor assigned) {
  const auto call = guard_.call();
  if (const auto found = by_visitor_.find(assigned.visitor); found != by_visitor_.end()) {
    found->second->assigned = std::move(assigned);
    return;
  }
  if (sessions_.size() >= options_.sessions_max) {
    ++worker_.counters.udp.sessions_evicted;
    end(sessions_.next_to_evict());
  }
  do {
    ++last_id_;
  } while (by_id_.contains(last_id_));
  const auto session = sessions_.add(worker_.loop.now(), channel_.sender(), last_id_, std::move(assigned));
  by_visitor_.emplace(session->assigned.visitor, session);
  by_id_.emplace(last_id_, session);
  ++worker_.counters.udp.sessions_opened;
  if (!idle_.is_set()) idle_.set(worker_.loop.now() + options_.session_idle_timeout);
}

void ServerUdp::send(const io::PacketRun& packets) {
  const auto call = guard_.call();
  const auto found = by_visitor_.find(UdpVisitor::of(packets));
  if (found == by_visitor_.end()) {
    worker_.counters.udp.drop(UdpDrop::session_gone, packets.packet_count());
    return;
  }
  sessions_.used(found->second, worker_.loop.now());
  UdpFlow& flow = found->second->flow;
  for (std::size_t i = 0; i < packets.packet_count(); ++i) flow.push(packets.packet(i));
}

void ServerUdp::payload_received(std::uint32_t session, ConstBytes payload) {
  const auto found = by_id_.find(session);
  if (found == by_id_.end()) {
    worker_.counters.udp.drop(UdpDrop::unknown_session);
    return;
  }
  const AssignedUdpVisitor& assigned = found->second->assigned;
  if (sessions_.answered(found->second, worker_.loop.now())) {
    event_queue_.add(assigned.entrance,
                     {.kind = UdpSessionEvent::Kind::answered, .visitor = assigned.visitor, .route = assigned.route});
  }
  guard_.check_no_call();
  events_.udp_answer(assigned.visitor, payload);
}

void ServerUdp::evict(const UdpVisitor& visitor, std::uint64_t route) {
  const auto call = guard_.call();
  const auto found = by_visitor_.find(visitor);
  if (found == by_visitor_.end() || found->second->assigned.route != route) return;
  ++worker_.counters.udp.sessions_evicted;
  end(found->second);
}

void ServerUdp::end(Sessions::Place session) {
  const AssignedUdpVisitor assigned = std::move(session->assigned);
  by_visitor_.erase(assigned.visitor);
  by_id_.erase(session->flow.session());
  channel_.forget_session(session->flow.session());
  if (notifies_ends_) end_notice_.add(session->flow.session());
  sessions_.erase(session);
  event_queue_.add(assigned.entrance,
                   {.kind = UdpSessionEvent::Kind::ended, .visitor = assigned.visitor, .route = assigned.route});
}

void ServerUdp::end_idle() {
  const Time now = worker_.loop.now();
  while (!sessions_.empty() && sessions_.oldest()->last_used + options_.session_idle_timeout <= now) {
    ++worker_.counters.udp.sessions_idle;
    end(sessions_.oldest());
  }
  if (!sessions_.empty()) idle_.set(sessions_.oldest()->last_used + options_.session_idle_timeout);
}

}  // namespace qmux::tunnel

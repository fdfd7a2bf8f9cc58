// SPDX-License-Identifier: MIT
#include "tunnel/server/server_listener.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

ServerListener::ServerListener(WorkerState& worker, quic::WorkerIndex worker_index, SharedListener& shared,
                               quic::HandshakeAdmission& handshakes, KeptBytes& kept, Workers& workers)
    : worker_(worker),
      worker_index_(worker_index),
      shared_(shared),
      offers_{.handover = shared.options.handover, .wait_for_client = shared.options.wait_for_client, .kept = &kept},
      workers_(workers),
      endpoint_(worker.loop, worker.chunks,
                {.transport = shared.options.transport,
                 .credentials = shared.server.credentials,
                 .worker = worker_index,
                 .admission = &handshakes,
                 .counters = &worker.counters.quic}),
      retry_(worker.loop.timers(), [this] { place_waiting(); }),
      end_due_(worker.loop.timers(), [this] { look_for_end(); }) {
  shared_.parts.fetch_add(1, std::memory_order_acq_rel);
}

ServerListener::~ServerListener() {
  for (const auto& [member, session] : members_) shared_.pool.leave(member);  // whose connections did not end in time
  if (phase_ != Phase::serving) shared_.parts_draining.fetch_sub(1, std::memory_order_acq_rel);
  shared_.parts.fetch_sub(1, std::memory_order_acq_rel);
}

// --- addresses ---------------------------------------------------------------------------------------------------------

Result<void> ServerListener::open(const ListenerOptions& options) {
  quic_hold_ = options.quic_hold;
  return endpoint_.listen(options.quic_address, worker_index_.count > 1, *this);
}

Address ServerListener::Entrances::address() const {
  if (tcp) return tcp->local_address();
  return udp ? udp->address() : Address();
}

/// Ports are always shared, so that a listener can take over another one's address before the other one gives it up.
Result<void> ServerListener::prepare(const ListenerOptions& options) {
  constexpr bool kShared = true;
  Address address = options.traffic_address;
  if (options.takes_tcp() && !(entrances_.tcp && entrances_.tcp->local_address() == address)) {
    auto tcp = worker_.loop.listen_tcp(address, kShared, *this);
    if (!tcp) return std::unexpected(std::move(tcp.error()));
    next_.tcp = std::move(*tcp);
    address = next_.tcp->local_address();  // both protocols share one port
  }
  if (options.takes_udp() && !(entrances_.udp && entrances_.udp->address() == address)) {
    auto udp = std::make_unique<UdpListener>(worker_, UdpListener::Setup{.listener = shared_.index,
                                                                         .worker_index = worker_index_,
                                                                         .pool = &shared_.pool,
                                                                         .options = &shared_.options.udp_options,
                                                                         .workers = &workers_,
                                                                         .parcels = &shared_.parcels});
    if (auto opened = udp->open(address, kShared); !opened) {
      abandon();
      return opened;
    }
    next_.udp = std::move(udp);
  }
  if (next_.tcp || next_.udp) next_.hold = options.traffic_hold;
  return {};
}

void ServerListener::renew() {
  const ListenerOptions& options = shared_.options;
  offers_.handover = options.handover;
  offers_.wait_for_client = options.wait_for_client;
  endpoint_.renew(options.transport, shared_.server.credentials);
  for (const auto& [connection, session] : sessions_) session->options_changed();
  if (phase_ == Phase::draining) go_on();
  if (next_.tcp || !options.takes_tcp()) close_tcp_entrance();
  if (next_.tcp) entrances_.tcp = std::move(next_.tcp);
  if (next_.udp || !options.takes_udp()) replace_udp_entrance(std::move(next_.udp));
  if (next_.hold) entrances_.hold = std::move(next_.hold);
}

void ServerListener::close_tcp_entrance() {
  if (!entrances_.tcp) return;
  // Connections that the kernel has accepted are visitors already.
  for (io::TcpListener::Waiting& each : entrances_.tcp->take_waiting()) {
    accepted(std::move(each.handle), each.remote, each.local);
  }
  entrances_.tcp.reset();
}

void ServerListener::replace_udp_entrance(std::unique_ptr<UdpListener> next) {
  if (entrances_.udp) {
    for (const auto& [member, session] : members_) entrances_.udp->leave(member);
  }
  entrances_.udp = std::move(next);
  if (!entrances_.udp) return;
  for (const auto& [member, session] : members_) {
    if (session->abilities().udp) entrances_.udp->join(*session);
  }
}

// --- visitors ----------------------------------------------------------------------------------------------------------

void ServerListener::accepted(io::TcpHandle handle, const Address& remote, const Address& local) {
  ++worker_.counters.visitors_accepted;
  auto ticket = shared_.admission.admit(shared_.index, remote);
  if (!ticket) return not_admitted(ticket.error());
  place({.listener = shared_.index,
         .socket = std::move(handle),
         .remote = remote,
         .local = local,
         .deadline = worker_.loop.now() + shared_.options.wait_for_client,
         .ticket = std::move(*ticket)});
}

void ServerListener::not_admitted(VisitorAdmission::Refusal why) {
  switch (why) {
    case VisitorAdmission::Refusal::process_full:
      ++worker_.counters.visitors_process_full;
      return;
    case VisitorAdmission::Refusal::listener_full:
      ++worker_.counters.visitors_listener_full;
      return;
    case VisitorAdmission::Refusal::source_full:
      ++worker_.counters.visitors_source_full;
      return;
  }
}

void ServerListener::visitor_returned(AssignedVisitor assigned) { place(unassign(std::move(assigned))); }

void ServerListener::visitor_arrived(AssignedVisitor assigned) {
  if (!hand_to_member(assigned)) place(unassign(std::move(assigned)));
}

void ServerListener::place(Visitor visitor) {
  if (is_stopping()) {
    ++worker_.counters.visitors_stopping;
    return;
  }
  if (visitor.deadline <= worker_.loop.now()) {
    ++worker_.counters.visitors_no_client;
    return;
  }
  while (true) {
    AssignedVisitor assigned{.visitor = std::move(visitor), .assignment = {}};
    assigned.assignment = shared_.pool.choose(assigned.visitor.tried, worker_.loop.now());
    if (!assigned.assignment.valid()) return no_client_for(std::move(assigned.visitor));
    if (send_to(assigned)) return;
    visitor = unassign(std::move(assigned));
  }
}

bool ServerListener::send_to(AssignedVisitor& assigned) {
  const std::size_t worker = assigned.assignment.worker();
  if (worker == worker_index_.index) return hand_to_member(assigned);
  WorkerMessage message = std::move(assigned);
  if (workers_.post(worker, message)) {
    ++worker_.counters.visitors_moved;
    return true;
  }
  assigned = std::move(std::get<AssignedVisitor>(message));
  return false;
}

bool ServerListener::hand_to_member(AssignedVisitor& assigned) {
  const auto found = members_.find(assigned.assignment.member());  // which may have left meanwhile
  return found != members_.end() && found->second->take(assigned);
}

void ServerListener::no_client_for(Visitor visitor) {
  if (!visitor.failed.empty() && !shared_.pool.has_other_than(visitor.failed)) {
    ++worker_.counters.visitors_no_service;
    return;
  }
  if (waiting_.size() >= limits::kVisitorsWaitingMax) {
    ++worker_.counters.visitors_too_many_waiting;
    return;
  }
  waiting_.push_back(std::move(visitor));
  if (!retry_.is_set()) retry_.set(worker_.loop.now() + limits::kVisitorRetryInterval);
}

void ServerListener::place_waiting() {
  const Time now = worker_.loop.now();
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    Visitor visitor = std::move(waiting_.front());
    waiting_.pop_front();
    if (visitor.deadline <= now) {
      ++worker_.counters.visitors_no_client;
      continue;
    }
    visitor.tried = visitor.failed;  // another round: a member that could not take it before may do so now
    place(std::move(visitor));
  }
  if (waiting_.empty()) {
    retry_.cancel();
  } else {
    retry_.set(now + limits::kVisitorRetryInterval);
  }
}

// --- clients -----------------------------------------------------------------------------------------------------------

quic::ConnectionEvents* ServerListener::connection_begun(quic::Connection& connection) {
  auto session = std::make_unique<ServerSession>(worker_, worker_index_.index, shared_.pool, offers_,
                                                 shared_.server.health, shared_.server.advice, connection, *this);
  ServerSession* const events = session.get();
  sessions_.emplace(&connection, std::move(session));
  return events;
}

void ServerListener::session_registered(ServerSession& session, const Pool::Admission& admission) {
  const std::optional<Pool::Replaced>& replaced = admission.replaced;
  members_.emplace(session.member(), &session);
  if (entrances_.udp && session.abilities().udp) entrances_.udp->join(session);
  if (replaced) {
    if (replaced->worker == worker_index_.index) {
      member_replaced(replaced->member);
    } else {
      WorkerMessage message = MemberReplaced{.listener = shared_.index, .member = replaced->member};
      // If the message is lost, the session notices at its next heartbeat that it is no member any more.
      static_cast<void>(workers_.post(replaced->worker, message));
    }
  }
  notify_namesakes(session, admission.namesake_workers);
  if (!waiting_.empty()) retry_.set(worker_.loop.now());
}

/// If the message is lost, the next visitor shows that the member is dead.
void ServerListener::notify_namesakes(ServerSession& session, const std::vector<std::size_t>& workers) {
  const ClientRegistered newcomer{.listener = shared_.index,
                                  .member = session.member(),
                                  .client_id = session.client_id(),
                                  .instance = session.instance()};
  for (const std::size_t worker : workers) {
    if (worker == worker_index_.index) {
      client_registered(newcomer);
    } else {
      WorkerMessage message = newcomer;
      static_cast<void>(workers_.post(worker, message));
    }
  }
}

void ServerListener::client_registered(const ClientRegistered& newcomer) {
  for (const auto& [member, session] : members_) session->client_registered(newcomer);
}

void ServerListener::member_replaced(MemberId member) {
  const auto found = members_.find(member);
  if (found != members_.end()) found->second->close(quic::ErrorCode::shutdown, "replaced by a newer connection");
}

void ServerListener::session_ended(ServerSession& session) {
  members_.erase(session.member());
  if (entrances_.udp) entrances_.udp->leave(session.member());
  const auto found = sessions_.find(&session.connection());
  CHECK(found != sessions_.end());
  worker_.retired.add(std::move(found->second));
  sessions_.erase(found);
}

void ServerListener::hand_over(std::size_t worker_index, const io::PacketRun& run) {
  workers_.hand_over(worker_index, {.listener = shared_.index,
                                    .local = run.local,
                                    .remote = run.remote,
                                    .bytes = {run.bytes.begin(), run.bytes.end()},
                                    .segment_bytes = run.segment_bytes,
                                    .ecn = run.ecn});
}

void ServerListener::packets_arrived(const StrayPackets& packets) {
  endpoint_.receive_handed_over({.local = packets.local,
                                 .remote = packets.remote,
                                 .bytes = packets.bytes,
                                 .segment_bytes = packets.segment_bytes,
                                 .ecn = packets.ecn});
}

// --- the end -----------------------------------------------------------------------------------------------------------

void ServerListener::go_on() {
  phase_ = Phase::serving;
  shared_.parts_draining.fetch_sub(1, std::memory_order_acq_rel);
  endpoint_.accept_again();
  for (const auto& [connection, session] : sessions_) session->go_on();
  look_for_end();
}

void ServerListener::drain(Duration time_max) {
  if (phase_ != Phase::serving) return;
  phase_ = Phase::draining;
  shared_.parts_draining.fetch_add(1, std::memory_order_acq_rel);
  phase_end_ = worker_.loop.now() + time_max;
  close_tcp_entrance();
  endpoint_.stop_accepting();
  std::vector<ServerSession*> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [connection, session] : sessions_) sessions.push_back(session.get());
  std::ranges::sort(sessions, {}, &ServerSession::member);  // in the order of their registration
  for (ServerSession* const session : sessions) session->drain();
  look_for_end();
}

void ServerListener::look_for_end() {
  if (is_stopping()) return;  // its time is over: the worker sees that at the end of this pass
  const Time now = worker_.loop.now();
  if (phase_ == Phase::serving) {
    if (close_left()) end_due_.set(now + limits::kDrainLookInterval);
    return;
  }
  if (is_drained() || now >= phase_end_) stop();
  end_due_.set(is_stopping() ? phase_end_ : std::min(now + limits::kDrainLookInterval, phase_end_));
}

/// Connections that clients were asked to leave before the listener came back, and that have served their last visitor. True:
/// others have not yet.
bool ServerListener::close_left() {
  bool more = false;
  for (const auto& [connection, session] : sessions_) {
    if (!session->is_leaving()) continue;
    if (session->is_drained()) {
      session->close(quic::ErrorCode::shutdown, "the client has another connection");
    } else {
      more = true;
    }
  }
  return more;
}

/// A visitor may need several workers one after another, so none stops while there are visitors on any.
bool ServerListener::is_drained() const {
  return shared_.parts_draining.load(std::memory_order_acquire) == shared_.parts.load(std::memory_order_acquire) &&
         shared_.admission.visitor_count(shared_.index) == 0 &&
         std::ranges::all_of(sessions_, [](const auto& each) { return each.second->is_drained(); });
}

void ServerListener::stop() {
  phase_ = Phase::stopping;
  phase_end_ = worker_.loop.now() + limits::kStopTimeMax;
  retry_.cancel();
  worker_.counters.visitors_stopping += waiting_.size();
  waiting_.clear();
  endpoint_.close_all(quic::ErrorCode::shutdown, "server is stopping");
}

bool ServerListener::has_ended() const {
  return is_stopping() && (endpoint_.connection_count() == 0 || worker_.loop.now() >= phase_end_);
}

}  // namespace qmux::tunnel

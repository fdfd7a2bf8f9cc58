// SPDX-License-Identifier: MIT
#include "tunnel/server/server_listener.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

ServerListener::ServerListener(WorkerState& worker, quic::WorkerIndex worker_index, const ListenerSetup& setup,
                               quic::HandshakeAdmission& handshakes, KeptBytes& kept, Workers& workers)
    : worker_(worker),
      worker_index_(worker_index),
      setup_(setup),
      offers_{.handover = setup.options->handover, .wait_for_client = setup.options->wait_for_client, .kept = &kept},
      workers_(workers),
      endpoint_(worker.loop, worker.chunks,
                {.transport = setup.options->transport,
                 .credentials = setup.server->credentials,
                 .worker = worker_index,
                 .admission = &handshakes,
                 .counters = &worker.counters.quic}),
      retry_(worker.loop.timers(), [this] { place_waiting(); }) {
  if (!setup.options->takes_udp()) return;
  udp_.emplace(worker, UdpListener::Setup{.listener = setup.index,
                                          .worker_index = worker_index,
                                          .pool = setup.pool,
                                          .options = &setup.options->udp_options,
                                          .workers = &workers,
                                          .parcels = setup.parcels});
}

ServerListener::~ServerListener() = default;

Result<void> ServerListener::open(const Address& quic_address, const Address& traffic_address) {
  const bool shared = worker_index_.count > 1;
  if (auto listening = endpoint_.listen(quic_address, shared, *this); !listening) return listening;
  Address address = traffic_address;
  if (setup_.options->takes_tcp()) {
    auto listener = worker_.loop.listen_tcp(address, shared, *this);
    if (!listener) return std::unexpected(std::move(listener.error()));
    traffic_ = std::move(*listener);
    address = traffic_->local_address();  // both protocols share one port
  }
  return udp_ ? udp_->open(address, shared) : Result<void>();
}

Address ServerListener::traffic_address() const {
  if (traffic_) return traffic_->local_address();
  return udp_ ? udp_->address() : Address();
}

// --- visitors ----------------------------------------------------------------------------------------------------------

void ServerListener::accepted(io::TcpHandle handle, const Address& remote, const Address& local) {
  ++worker_.counters.visitors_accepted;
  auto ticket = setup_.admission->admit(setup_.index, remote);
  if (!ticket) return not_admitted(ticket.error());
  place({.listener = setup_.index,
         .socket = std::move(handle),
         .remote = remote,
         .local = local,
         .deadline = worker_.loop.now() + setup_.options->wait_for_client,
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
  if (stopping_) {
    ++worker_.counters.visitors_stopping;
    return;
  }
  if (visitor.deadline <= worker_.loop.now()) {
    ++worker_.counters.visitors_no_client;
    return;
  }
  while (true) {
    AssignedVisitor assigned{.visitor = std::move(visitor), .assignment = {}};
    assigned.assignment = setup_.pool->choose(assigned.visitor.tried, worker_.loop.now());
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
  if (!visitor.failed.empty() && !setup_.pool->has_other_than(visitor.failed)) {
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
  auto session = std::make_unique<ServerSession>(worker_, worker_index_.index, *setup_.pool, offers_,
                                                 setup_.server->health, setup_.server->advice, connection, *this);
  ServerSession* const events = session.get();
  sessions_.emplace(&connection, std::move(session));
  return events;
}

void ServerListener::session_registered(ServerSession& session, const Pool::Admission& admission) {
  const std::optional<Pool::Replaced>& replaced = admission.replaced;
  members_.emplace(session.member(), &session);
  if (udp_ && session.abilities().udp) udp_->join(session);
  if (replaced) {
    if (replaced->worker == worker_index_.index) {
      member_replaced(replaced->member);
    } else {
      WorkerMessage message = MemberReplaced{.listener = setup_.index, .member = replaced->member};
      // If the message is lost, the session notices at its next heartbeat that it is no member any more.
      static_cast<void>(workers_.post(replaced->worker, message));
    }
  }
  notify_namesakes(session, admission.namesake_workers);
  if (!waiting_.empty()) retry_.set(worker_.loop.now());
}

/// If the message is lost, the next visitor shows that the member is dead.
void ServerListener::notify_namesakes(ServerSession& session, const std::vector<std::size_t>& workers) {
  const ClientRegistered newcomer{.listener = setup_.index,
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
  if (udp_) udp_->leave(session.member());
  const auto found = sessions_.find(&session.connection());
  CHECK(found != sessions_.end());
  worker_.retired.add(std::move(found->second));
  sessions_.erase(found);
}

void ServerListener::hand_over(std::size_t worker_index, const io::PacketRun& run) {
  workers_.hand_over(worker_index, {.listener = setup_.index,
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

void ServerListener::drain() {
  if (traffic_) {
    // Connections that the kernel has accepted are visitors already.
    for (io::TcpListener::Waiting& each : traffic_->take_waiting())
      accepted(std::move(each.handle), each.remote, each.local);
    traffic_.reset();
  }
  endpoint_.stop_accepting();
  std::vector<ServerSession*> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [connection, session] : sessions_) sessions.push_back(session.get());
  std::ranges::sort(sessions, {}, &ServerSession::member);  // in the order of their registration
  for (ServerSession* const session : sessions) session->drain();
}

bool ServerListener::is_drained() const {
  return std::ranges::all_of(sessions_, [](const auto& each) { return each.second->is_drained(); });
}

void ServerListener::stop() {
  stopping_ = true;
  traffic_.reset();
  retry_.cancel();
  worker_.counters.visitors_stopping += waiting_.size();
  waiting_.clear();
  endpoint_.stop_accepting();
  endpoint_.close_all(quic::ErrorCode::shutdown, "server is stopping");
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/server/udp_listener.h"

#include <utility>

namespace qmux::tunnel {

UdpListener::UdpListener(WorkerState& worker, const Setup& setup)
    : worker_(worker),
      setup_(setup),
      parcels_(setup.worker_index.count),
      events_(worker.loop, setup.worker_index.count),
      entrance_(worker, setup.worker_index.index, setup.worker_index.count, *setup.pool, *this) {}

UdpListener::~UdpListener() = default;

// --- clients -----------------------------------------------------------------------------------------------------------

void UdpListener::join(ServerSession& session) {
  auto udp =
      std::make_unique<ServerUdp>(worker_, session, *setup_.options, events_, static_cast<ServerUdpEvents&>(*this));
  members_.emplace(session.member(), std::move(udp));
}

void UdpListener::leave(MemberId member) {
  // Its sessions end with it. Their events are added when it is no member any more.
  if (auto left = members_.extract(member)) left.mapped().reset();
}

ServerUdp* UdpListener::find(MemberId member) noexcept {
  const auto found = members_.find(member);
  return found != members_.end() ? found->second.get() : nullptr;
}

// --- visitors on their way to their client -----------------------------------------------------------------------------

bool UdpListener::send_udp_visitor(AssignedUdpVisitor& assigned) {
  const std::size_t worker = assigned.assignment.worker();
  if (worker == setup_.worker_index.index) {
    ServerUdp* const udp = find(assigned.assignment.member());
    if (udp != nullptr) udp->open(std::move(assigned));
    return udp != nullptr;
  }
  WorkerMessage message = UdpVisitorAssigned{.listener = setup_.listener, .assigned = std::move(assigned)};
  if (setup_.workers->post(worker, message)) return true;
  assigned = std::move(std::get<UdpVisitorAssigned>(message).assigned);
  return false;
}

void UdpListener::visitor_arrived(AssignedUdpVisitor assigned) {
  if (ServerUdp* const udp = find(assigned.assignment.member())) {
    udp->open(std::move(assigned));
  } else {  // the client has left meanwhile
    events_.add(assigned.entrance,
                {.kind = UdpSessionEvent::Kind::ended, .visitor = assigned.visitor, .route = assigned.route});
  }
}

void UdpListener::deliver_udp(MemberId member, const io::PacketRun& packets) {
  if (ServerUdp* const udp = find(member)) {
    udp->send(packets);
  } else {
    worker_.counters.udp.drop(UdpDrop::session_gone, packets.packet_count());
  }
}

void UdpListener::forward_udp(std::size_t worker, MemberId member, const io::PacketRun& packets) {
  std::unique_ptr<UdpParcel>& parcel = parcels_[worker];
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!parcel) parcel = setup_.parcels->take();
    if (!parcel) break;
    if (parcel->add(member, packets)) return;
    post_parcel(worker);
  }
  worker_.counters.udp.drop(UdpDrop::mailbox_full, packets.packet_count());
}

void UdpListener::packets_arrived(std::unique_ptr<UdpParcel> parcel) {
  for (const UdpParcel::Entry& entry : parcel->entries()) deliver_udp(entry.member, entry.packets);
  setup_.parcels->give_back(std::move(parcel));
}

void UdpListener::post_parcel(std::size_t worker) {
  WorkerMessage message = UdpPackets{.listener = setup_.listener, .parcel = std::move(parcels_[worker])};
  if (setup_.workers->post(worker, message)) {
    ++worker_.counters.udp.parcels_moved;
    return;
  }
  auto parcel = std::move(std::get<UdpPackets>(message).parcel);
  for (const UdpParcel::Entry& entry : parcel->entries()) {
    worker_.counters.udp.drop(UdpDrop::mailbox_full, entry.packets.packet_count());
  }
  setup_.parcels->give_back(std::move(parcel));
}

// --- the end of sessions and of routes ---------------------------------------------------------------------------------

void UdpListener::session_events(const std::vector<UdpSessionEvent>& events) {
  for (const UdpSessionEvent& event : events) entrance_.session_event(event);
}

void UdpListener::evict_udp_visitor(std::size_t worker, MemberId member, const UdpVisitor& visitor,
                                    std::uint64_t route) {
  if (worker == setup_.worker_index.index) {
    visitor_evicted(member, visitor, route);
    return;
  }
  WorkerMessage message =
      UdpVisitorEvicted{.listener = setup_.listener, .member = member, .visitor = visitor, .route = route};
  // If the message is lost, the session ends by its idle timeout.
  static_cast<void>(setup_.workers->post(worker, message));
}

void UdpListener::visitor_evicted(MemberId member, const UdpVisitor& visitor, std::uint64_t route) {
  if (ServerUdp* const udp = find(member)) udp->evict(visitor, route);
}

void UdpListener::pass_on_events(std::size_t worker) {
  UdpEventQueue::Events& events = events_.of(worker);
  if (worker == setup_.worker_index.index) {
    session_events(events);
    events.clear();
    return;
  }
  WorkerMessage message = UdpSessionEvents{.listener = setup_.listener, .events = std::move(events)};
  if (setup_.workers->post(worker, message)) {
    events.clear();
    return;
  }
  // A route without a session must not remain: the events are sent in a later pass.
  events = std::move(std::get<UdpSessionEvents>(message).events);
}

void UdpListener::finish_pass() {
  for (std::size_t worker = 0; worker < parcels_.size(); ++worker) {
    if (parcels_[worker]) post_parcel(worker);
    if (!events_.of(worker).empty()) pass_on_events(worker);
  }
}

}  // namespace qmux::tunnel

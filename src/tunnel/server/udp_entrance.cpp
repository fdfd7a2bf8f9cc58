// SPDX-License-Identifier: MIT
#include "tunnel/server/udp_entrance.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

UdpEntrance::UdpEntrance(WorkerState& worker, std::size_t worker_index, std::size_t workers, Pool& pool,
                         UdpEntranceHost& host)
    : worker_(worker),
      worker_index_(worker_index),
      routes_per_source_max_(std::max<std::size_t>(limits::kUdpSessionsPerSourceMax / workers, 1)),
      pool_(pool),
      host_(host),
      routes_(0, UdpVisitor::Hash{worker.loop.random().next_u64()}),
      sources_(0, SourceHash{worker.loop.random().next_u64()}) {}

UdpEntrance::~UdpEntrance() {
  worker_.udp.unread.forget(*this);
  if (socket_) worker_.udp.send_batch.forget(*socket_);
}

Result<void> UdpEntrance::open(const Address& traffic_address, bool shared_port) {
  auto socket = worker_.loop.open_datagram(
      {.local = traffic_address, .remote = {}, .shared_port = shared_port, .fragmentable = true}, *this);
  if (!socket) return std::unexpected(std::move(socket.error()));
  socket_ = std::move(*socket);
  return {};
}

void UdpEntrance::answer(const UdpVisitor& visitor, ConstBytes payload) {
  const auto call = guard_.call();
  worker_.udp.send_batch.add(*socket_, visitor.local, visitor.remote, std::span(&payload, 1));
}

// --- what visitors send ------------------------------------------------------------------------------------------------

void UdpEntrance::datagrams_readable() {
  std::array<io::PacketRun, 8> runs;
  for (std::size_t bytes = 0; bytes < limits::kUdpReadBytesMax;) {
    const std::size_t count = socket_->receive(runs);
    worker_.counters.udp.overflowed += overflow_.more(*socket_);
    if (count == 0) return;
    for (const io::PacketRun& run : std::span(runs).first(count)) {
      bytes += run.bytes.size() + limits::kUdpReadRunBytes;
      arrived(run);
    }
  }
  worker_.udp.unread.add(*this);
}

void UdpEntrance::arrived(const io::PacketRun& packets) {
  const std::size_t payloads = packets.packet_count();
  worker_.counters.udp.payloads_received += payloads;
  const Route* const route = find_or_choose(UdpVisitor::of(packets), payloads);
  if (route == nullptr) return;
  guard_.check_no_call();
  if (route->worker == worker_index_) {
    host_.deliver_udp(route->member, packets);
  } else {
    host_.forward_udp(route->worker, route->member, packets);
  }
}

UdpEntrance::Route* UdpEntrance::find_or_choose(const UdpVisitor& visitor, std::size_t payloads) {
  const auto found = routes_.find(visitor);
  if (found == routes_.end()) return choose(visitor, payloads);
  found->second->source->routes.used(found->second, worker_.loop.now());
  return &*found->second;
}

UdpEntrance::Route* UdpEntrance::choose(const UdpVisitor& visitor, std::size_t payloads) {
  Pool::Assignment assignment = pool_.choose({}, worker_.loop.now(), Pool::Need::udp);
  if (!assignment.valid()) {
    worker_.counters.udp.drop(UdpDrop::no_client, payloads);
    return nullptr;
  }
  Source& source = source_of(visitor.remote);
  if (!source.beginnings.take(worker_.loop.now())) {
    worker_.counters.udp.drop(UdpDrop::too_many_sessions, payloads);
    return nullptr;
  }
  const MemberId member = assignment.member();
  const std::size_t worker = assignment.worker();
  AssignedUdpVisitor assigned{
      .visitor = visitor, .assignment = std::move(assignment), .entrance = worker_index_, .route = last_number_ + 1};
  guard_.check_no_call();
  if (!host_.send_udp_visitor(assigned)) {
    worker_.counters.udp.drop(UdpDrop::mailbox_full, payloads);
    forget_if_unused(source);
    return nullptr;
  }
  ++last_number_;
  if (source.routes.size() >= routes_per_source_max_) evict_one(source);
  const auto route = source.routes.add(
      worker_.loop.now(),
      Route{.visitor = visitor, .member = member, .worker = worker, .number = last_number_, .source = &source});
  routes_.emplace(visitor, route);
  return &*route;
}

UdpEntrance::Source& UdpEntrance::source_of(const Address& remote) {
  const Address host = remote.holder();
  const auto share = static_cast<double>(routes_per_source_max_);
  const TokenBucket full(limits::kUdpSourceTurnoverPerSecond * share, share, worker_.loop.now());
  return sources_.try_emplace(host, Source{.host = host, .beginnings = full, .routes = {}}).first->second;
}

void UdpEntrance::evict_one(Source& source) {
  const Routes::Place place = source.routes.next_to_evict();
  const Route evicted = *place;
  routes_.erase(evicted.visitor);
  source.routes.erase(place);
  guard_.check_no_call();
  host_.evict_udp_visitor(evicted.worker, evicted.member, evicted.visitor, evicted.number);
}

void UdpEntrance::session_event(const UdpSessionEvent& event) {
  const auto call = guard_.call();
  const auto found = routes_.find(event.visitor);
  if (found == routes_.end() || found->second->number != event.route) return;
  switch (event.kind) {
    case UdpSessionEvent::Kind::answered:
      found->second->source->routes.answered(found->second, worker_.loop.now());
      return;
    case UdpSessionEvent::Kind::ended:
      return forget(found->second);
  }
}

void UdpEntrance::forget(Routes::Place route) {
  Source& source = *route->source;
  routes_.erase(route->visitor);
  source.routes.erase(route);
  forget_if_unused(source);
}

void UdpEntrance::forget_if_unused(Source& source) {
  if (source.routes.empty()) sources_.erase(Address(source.host));
}

}  // namespace qmux::tunnel

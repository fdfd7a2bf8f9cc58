// SPDX-License-Identifier: MIT
//
// One worker's part of a listener's UDP: the entrance for visitors whose packets arrive here, the UDP sessions of the clients on
// this worker, and the messages with the other workers about both.
//
// Owned by the worker's part of the listener; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "quic/endpoint.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/server_session.h"
#include "tunnel/server/server_udp.h"
#include "tunnel/server/udp_entrance.h"
#include "tunnel/server/udp_event_queue.h"
#include "tunnel/server/udp_parcel.h"
#include "tunnel/server/worker_message.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class UdpListener final : private UdpEntranceHost, public ServerUdpEvents {
 public:
  struct Setup {
    std::size_t listener = 0;  ///< its index, for messages
    quic::WorkerIndex worker_index;
    Pool* pool = nullptr;
    const UdpOptions* options = nullptr;
    Workers* workers = nullptr;
    UdpParcels* parcels = nullptr;
  };

  UdpListener(WorkerState& worker, const Setup& setup);
  UdpListener(const UdpListener&) = delete;
  UdpListener& operator=(const UdpListener&) = delete;
  ~UdpListener();

  [[nodiscard]] Result<void> open(const Address& traffic_address, bool shared_port) {
    return entrance_.open(traffic_address, shared_port);
  }
  [[nodiscard]] Address address() const { return entrance_.address(); }
  [[nodiscard]] std::size_t route_count() const noexcept { return entrance_.route_count(); }

  /// A client on this worker has registered and carries UDP; its connection has ended.
  void join(ServerSession& session);
  void leave(MemberId member);

  // From other workers.
  void visitor_arrived(AssignedUdpVisitor assigned);
  void packets_arrived(std::unique_ptr<UdpParcel> parcel);
  void visitor_evicted(MemberId member, const UdpVisitor& visitor, std::uint64_t route);
  void session_events(const std::vector<UdpSessionEvent>& events);

  /// Passes on what this pass has collected, to other workers and to this worker's entrance.
  void finish_pass();

 private:
  // UdpEntranceHost
  bool send_udp_visitor(AssignedUdpVisitor& assigned) override;
  void evict_udp_visitor(std::size_t worker, MemberId member, const UdpVisitor& visitor, std::uint64_t route) override;
  void deliver_udp(MemberId member, const io::PacketRun& packets) override;
  void forward_udp(std::size_t worker, MemberId member, const io::PacketRun& packets) override;

  // ServerUdpEvents
  void udp_answer(const UdpVisitor& visitor, ConstBytes payload) override { entrance_.answer(visitor, payload); }

  [[nodiscard]] ServerUdp* find(MemberId member) noexcept;
  void post_parcel(std::size_t worker);
  void pass_on_events(std::size_t worker);

  WorkerState& worker_;
  const Setup setup_;
  std::vector<std::unique_ptr<UdpParcel>> parcels_;  ///< by worker: packets that wait for the end of the pass
  UdpEventQueue events_;                             ///< the same, this worker's included
  UdpEntrance entrance_;
  std::unordered_map<MemberId, std::unique_ptr<ServerUdp>>
      members_;  ///< destroyed first: ends of their sessions are added to events_
};

}  // namespace qmux::tunnel

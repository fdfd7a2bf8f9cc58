// SPDX-License-Identifier: MIT
//
// One worker's part of a listener: its socket for QUIC, its socket for visitors, and the sessions of the clients on this worker.
// It passes each visitor to the client that the pool chooses, on this worker or another.
//
// Owned by its worker; one thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "quic/endpoint.h"
#include "tunnel/options.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/server_session.h"
#include "tunnel/server/udp_listener.h"
#include "tunnel/server/visitor.h"
#include "tunnel/server/worker_message.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

/// Common data of all listeners of all workers. Outlives them.
struct ListenerSetup {
  std::size_t index = 0;
  const ListenerOptions* options = nullptr;
  const ServerOptions* server = nullptr;
  Pool* pool = nullptr;
  VisitorAdmission* admission = nullptr;
  UdpParcels* parcels = nullptr;
};

class ServerListener final : private quic::EndpointHost, private io::TcpListener::Events, public ServerSessionEvents {
 public:
  /// `handshakes` and `kept`: the worker's; outlive it.
  ServerListener(WorkerState& worker, quic::WorkerIndex worker_index, const ListenerSetup& setup,
                 quic::HandshakeAdmission& handshakes, KeptBytes& kept, Workers& workers);
  ~ServerListener();

  /// Opens both sockets at these addresses (those of the options, with the ports that the first worker got).
  [[nodiscard]] Result<void> open(const Address& quic_address, const Address& traffic_address);
  [[nodiscard]] Address quic_address() const { return endpoint_.local_address(); }
  /// The address of visitors, for every protocol that is enabled.
  [[nodiscard]] Address traffic_address() const;
  /// nullptr when visitors may not come by UDP.
  [[nodiscard]] UdpListener* udp() noexcept { return udp_ ? &*udp_ : nullptr; }

  /// From other workers.
  void visitor_arrived(AssignedVisitor assigned);
  void packets_arrived(const StrayPackets& packets);
  void member_replaced(MemberId member);
  void client_registered(const ClientRegistered& newcomer);

  [[nodiscard]] quic::Endpoint& endpoint() noexcept { return endpoint_; }
  /// Accepts no more visitors and clients, and asks the clients to look for another server. Visitors that are there go on.
  void drain();
  /// After drain(): no client's connection is needed any more.
  [[nodiscard]] bool is_drained() const;
  /// Accepts no more visitors, resets the waiting ones and closes the clients' connections.
  void stop();

 private:
  // io::TcpListener::Events
  void accepted(io::TcpHandle handle, const Address& remote, const Address& local) override;

  // quic::EndpointHost
  quic::ConnectionEvents* connection_begun(quic::Connection& connection) override;
  void hand_over(std::size_t worker_index, const io::PacketRun& run) override;

  // ServerSessionEvents
  void session_registered(ServerSession& session, const Pool::Admission& admission) override;
  void visitor_returned(AssignedVisitor assigned) override;
  void session_ended(ServerSession& session) override;

  void not_admitted(VisitorAdmission::Refusal why);
  void notify_namesakes(ServerSession& session, const std::vector<std::size_t>& workers);
  /// Sends a visitor to the best client that can take it. If there is none, the visitor waits here.
  void place(Visitor visitor);
  /// To the member that the visitor is assigned to, on any worker. False: the member cannot take it, and the caller keeps the
  /// visitor.
  [[nodiscard]] bool send_to(AssignedVisitor& assigned);
  /// The same for a member on this worker.
  [[nodiscard]] bool hand_to_member(AssignedVisitor& assigned);
  /// It waits for a client, unless no client can serve it.
  void no_client_for(Visitor visitor);
  void place_waiting();

  WorkerState& worker_;
  const quic::WorkerIndex worker_index_;
  const ListenerSetup setup_;
  const OfferRules offers_;
  Workers& workers_;
  quic::Endpoint endpoint_;
  std::unique_ptr<io::TcpListener> traffic_;
  std::optional<UdpListener> udp_;
  std::unordered_map<quic::Connection*, std::unique_ptr<ServerSession>> sessions_;
  std::unordered_map<MemberId, ServerSession*> members_;
  std::deque<Visitor> waiting_;  ///< for a client
  Timer retry_;
  bool stopping_ = false;
};

}  // namespace qmux::tunnel

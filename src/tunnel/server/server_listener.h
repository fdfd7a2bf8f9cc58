// SPDX-License-Identifier: MIT
//
// One worker's part of a listener: its socket for QUIC, its socket for visitors, and the sessions of the clients on this worker.
// It passes each visitor to the client that the pool chooses, on this worker or another.
//
// Owned by its worker; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include "quic/endpoint.h"
#include "tunnel/options.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/server_session.h"
#include "tunnel/server/shared_listener.h"
#include "tunnel/server/udp_listener.h"
#include "tunnel/server/visitor.h"
#include "tunnel/server/worker_message.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerListener final : private quic::EndpointHost, private io::TcpListener::Events, public ServerSessionEvents {
 public:
  /// `handshakes` and `kept`: the worker's; outlive it, as `shared` does.
  ServerListener(WorkerState& worker, quic::WorkerIndex worker_index, SharedListener& shared,
                 quic::HandshakeAdmission& handshakes, KeptBytes& kept, Workers& workers);
  ~ServerListener();

  [[nodiscard]] std::size_t index() const noexcept { return shared_.index; }
  /// Opens the socket for clients. Visitors come once renew() has been called.
  [[nodiscard]] Result<void> open(const ListenerOptions& options);
  /// Opens the sockets for visitors that `options` want and that are not open yet. They accept nothing before renew().
  [[nodiscard]] Result<void> prepare(const ListenerOptions& options);
  /// What prepare() has opened is closed.
  void abandon() noexcept { next_ = {}; }
  /// The shared options have changed to those of prepare(): they take effect. One that drains goes on as before.
  void renew();

  [[nodiscard]] Address quic_address() const { return endpoint_.local_address(); }
  /// The address of visitors, for every protocol that is enabled.
  [[nodiscard]] Address traffic_address() const { return entrances_.address(); }
  /// The same of what prepare() has opened.
  [[nodiscard]] Address prepared_address() const { return next_.address(); }
  /// nullptr when visitors may not come by UDP.
  [[nodiscard]] UdpListener* udp() noexcept { return entrances_.udp.get(); }

  /// From other workers.
  void visitor_arrived(AssignedVisitor assigned);
  void packets_arrived(const StrayPackets& packets);
  void member_replaced(MemberId member);
  void client_registered(const ClientRegistered& newcomer);

  [[nodiscard]] quic::Endpoint& endpoint() noexcept { return endpoint_; }
  /// Accepts no more visitors and clients, and asks the clients to look for another server. Once the last visitor of the listener
  /// has been served on every worker, or after `time_max`, resets visitors and closes connections, within limits::kStopTimeMax.
  void drain(Duration time_max);
  [[nodiscard]] bool is_draining() const noexcept { return phase_ != Phase::serving; }
  /// Its last visitors and connections are being ended.
  [[nodiscard]] bool is_stopping() const noexcept { return phase_ == Phase::stopping; }
  /// After drain(): nothing is left to do, at the end of a pass.
  [[nodiscard]] bool has_ended() const;

 private:
  enum class Phase : std::uint8_t { serving, draining, stopping };
  /// The sockets for visitors.
  struct Entrances {
    std::shared_ptr<const void> hold;  ///< ListenerOptions::traffic_hold
    std::unique_ptr<io::TcpListener> tcp;
    std::unique_ptr<UdpListener> udp;

    [[nodiscard]] Address address() const;
  };

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
  void close_tcp_entrance();
  void replace_udp_entrance(std::unique_ptr<UdpListener> next);
  void go_on();
  void look_for_end();
  bool close_left();
  [[nodiscard]] bool is_drained() const;
  void stop();

  WorkerState& worker_;
  const quic::WorkerIndex worker_index_;
  SharedListener& shared_;
  OfferRules offers_;
  Workers& workers_;
  std::shared_ptr<const void> quic_hold_;
  quic::Endpoint endpoint_;
  Entrances entrances_;
  Entrances next_;  ///< between prepare() and renew()
  std::unordered_map<quic::Connection*, std::unique_ptr<ServerSession>> sessions_;
  std::unordered_map<MemberId, ServerSession*> members_;
  std::deque<Visitor> waiting_;  ///< for a client
  Timer retry_;
  Phase phase_ = Phase::serving;
  Time phase_end_ = kNever;  ///< at the latest
  Timer end_due_;            ///< set while it drains and stops, or still has connections from before
};

}  // namespace qmux::tunnel

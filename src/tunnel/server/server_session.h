// SPDX-License-Identifier: MIT
//
// A client's connection as the server sees it: registration, membership of the pool, and the tunnels that go through it.
//
//   handshake -> waits for Register -> registered -> closed
//                       \-> refused (reason being sent) -> closed
//
// Owned by what receives its events; one thread, that of the connection. It makes no callbacks after session_ended().
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/call_guard.h"
#include "quic/connection.h"
#include "tunnel/advice.h"
#include "tunnel/control/control_stream.h"
#include "tunnel/control/drain.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/registration.h"
#include "tunnel/server/server_tunnel.h"
#include "tunnel/server/sign_of_life.h"
#include "tunnel/server/visitor.h"
#include "tunnel/worker/retired.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerSession;

/// Never called inside a call that the receiver makes to the session: such a call returns its result.
class ServerSessionEvents {
 public:
  /// The session has become a member of the pool.
  virtual void session_registered(ServerSession& session, const Pool::Admission& admission) = 0;
  /// A visitor that the session took and cannot serve after all, with its assignment.
  virtual void visitor_returned(AssignedVisitor assigned) = 0;
  /// The connection has ended. The receiver retires the session.
  virtual void session_ended(ServerSession& session) = 0;

 protected:
  ~ServerSessionEvents() = default;
};

class ServerSession final : public Retirable,
                            public quic::ConnectionEvents,
                            public ControlEvents,
                            public ServerTunnelEvents,
                            private DrainHost,
                            private SignOfLifeHost {
 public:
  /// `health`, `offers` and `pool` outlive it. `worker_index`: the session's worker, for the pool.
  ServerSession(WorkerState& worker, std::size_t worker_index, Pool& pool, const OfferRules& offers,
                const HealthOptions& health, const ServerAdvice* advice, quic::Connection& connection,
                ServerSessionEvents& events);
  ~ServerSession() override;

  /// 0 until registered.
  [[nodiscard]] MemberId member() const noexcept { return member_; }
  [[nodiscard]] quic::Connection& connection() noexcept { return connection_; }
  [[nodiscard]] const ClientAbilities& abilities() const noexcept { return abilities_; }
  [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }
  [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
  /// Opens a tunnel for the visitor, at once or when the client allows another stream. False: it cannot, and the caller keeps the
  /// visitor.
  [[nodiscard]] bool take(AssignedVisitor& assigned);
  /// A client has registered. If it is another process under this client's name, this client may have been restarted, and is
  /// asked for a sign of life.
  void client_registered(const ClientRegistered& newcomer);
  /// Notifies the client that these UDP sessions have ended. False: not now, because it does not take what was sent before.
  [[nodiscard]] bool notify_udp_end(const std::vector<std::uint32_t>& sessions);
  /// `health` has other values now.
  void options_changed();
  /// The server is to stop: asks the client to look for another, and registers it no more.
  void drain();
  /// After drain(): the server goes on. A client that was asked to leave leaves all the same, and gets no more visitors.
  void go_on();
  /// It was asked to leave, and another connection of it is expected or there.
  [[nodiscard]] bool is_leaving() const noexcept { return leaving_; }
  /// After drain(): the connection is not needed any more.
  [[nodiscard]] bool is_drained() const noexcept;
  /// Ends the connection; session_ended() follows.
  void close(quic::ErrorCode code, std::string reason);

 private:
  enum class Phase { unregistered, registered, refused, closed };
  struct Waiting {
    AssignedVisitor assigned;
    Time until;
  };

  // quic::ConnectionEvents
  void established(quic::Connection& connection) override;
  void stream_opened(quic::Connection& connection, quic::Stream& stream) override;
  void stream_credit(quic::Connection& connection) override;
  void filler_wanted(quic::Connection& connection, std::size_t bytes) override;
  void peer_silent(quic::Connection& /*connection*/) override { sign_of_life_.peer_silent(); }
  void peer_heard(quic::Connection& connection) override;
  void closed(quic::Connection& connection, const quic::CloseCause& cause) override;

  // ControlEvents
  [[nodiscard]] bool control_message(const wire::Message& message) override;
  void control_failed(const ControlFailure& failure) override;
  void control_finished() override;
  [[nodiscard]] Time last_data() const override { return std::max(connection_.last_data(), back_at_); }

  // DrainHost
  [[nodiscard]] bool is_idle() const override;
  [[nodiscard]] Time last_heard() const override { return connection_.last_heard(); }
  void send_go_away(const wire::GoAway& message) override { control_->send(message); }

  // SignOfLifeHost
  void ask_for_sign_of_life() override;
  [[nodiscard]] bool has_offers() const override;
  /// Visitors whose tunnels can be taken back go to other clients.
  void take_back_visitors() override;

  // ServerTunnelEvents
  void service_reached() override;
  void service_not_reached() override;
  void service_not_reached_promptly() override;
  void tunnel_ended(ServerTunnel& tunnel, std::optional<AssignedVisitor> returned) override;

  void register_client(const wire::Register& request);
  void refuse(const std::string& reason);
  void go_away_received(const wire::GoAway& message);
  void time_is_up();
  void open_tunnel(AssignedVisitor assigned, quic::Stream& stream);
  void serve_waiting();
  void return_waiting();
  void avoid(std::string_view event);
  void give_up_waiting();
  void give_up_waiting_at(Time until);

  WorkerState& worker_;
  CallGuard guard_;
  const std::size_t worker_index_;
  Pool& pool_;
  const OfferRules& offers_;
  const HealthOptions& health_;
  const ServerAdvice* const advice_;  ///< may be absent
  quic::Connection& connection_;
  ServerSessionEvents& events_;
  Phase phase_ = Phase::unregistered;
  std::unique_ptr<ControlStream> control_;
  Timer deadline_;  ///< to register; when refused, to receive the reason
  std::string client_id_;
  std::string instance_;
  std::string refusal_;
  ClientAbilities abilities_;
  MemberId member_ = 0;
  std::deque<Waiting> waiting_;  ///< for stream credit
  Timer waiting_too_long_;
  Time next_give_up_{};  ///< when it is set: its deadline
  SignOfLife sign_of_life_;
  Time back_at_ = Time::min();  ///< when something came again after a silence
  bool draining_ = false;       ///< drain() was called
  bool leaving_ = false;
  bool was_used_ = false;  ///< by a visitor
  Drain drain_;
  std::map<std::int64_t, std::unique_ptr<ServerTunnel>>
      tunnels_;  ///< by stream, in the order in which they were opened
};

}  // namespace qmux::tunnel

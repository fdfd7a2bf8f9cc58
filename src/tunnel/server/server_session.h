// SPDX-License-Identifier: MIT
//
// A client's connection as the server sees it: registration, membership of the pool, and the tunnels that go through it.
//
//   handshake -> waits for Register -> registered -> closed
//                       \-> refused (reason on its way) -> closed
//
// Owned by its host; one thread, that of the connection. After session_ended() nothing more comes from it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/call_guard.h"
#include "quic/connection.h"
#include "tunnel/advice.h"
#include "tunnel/control/control_stream.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/registration.h"
#include "tunnel/server/server_tunnel.h"
#include "tunnel/server/visitor.h"
#include "tunnel/worker/retired.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerSession;

/// Never called from inside a call that the host makes to the session: what such a call comes to, it returns.
class ServerSessionHost {
 public:
  /// The session has become a member of the pool.
  virtual void session_registered(ServerSession& session, const Pool::Admission& admission) = 0;
  /// A visitor that the session took and cannot serve after all, with its seat.
  virtual void visitor_returned(SeatedVisitor seated) = 0;
  /// The connection is gone. The host retires the session.
  virtual void session_ended(ServerSession& session) = 0;

 protected:
  ~ServerSessionHost() = default;
};

class ServerSession final : public Retirable,
                            public quic::ConnectionEvents,
                            public ControlEvents,
                            public ServerTunnelEvents {
 public:
  /// `health` and `pool` outlive it. `worker_index`: whose the session is, for the pool.
  ServerSession(WorkerState& worker, std::size_t worker_index, Pool& pool, const HealthOptions& health,
                const ServerAdvice* advice, quic::Connection& connection, ServerSessionHost& host);
  ~ServerSession() override;

  /// 0 until registered.
  [[nodiscard]] MemberId member() const noexcept { return member_; }
  [[nodiscard]] quic::Connection& connection() noexcept { return connection_; }
  [[nodiscard]] const ClientAbilities& abilities() const noexcept { return abilities_; }
  [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }
  [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
  /// Opens a tunnel for the visitor, at once or when the client allows another stream. False: it cannot, and the visitor is still
  /// the caller's.
  [[nodiscard]] bool take(SeatedVisitor& seated);
  /// Something new is on its way to the client: should nothing at all come back, others are chosen before it.
  void expect_sign_of_life();
  /// A client has registered. Should it be another process under this one's name, it may have come in its place: this one is
  /// asked for a sign of life, and when none comes soon, others are chosen before it.
  void client_registered(const ClientRegistered& newcomer);
  /// Tells the client that these UDP sessions have ended. False: not now, since it does not take what was sent before.
  [[nodiscard]] bool tell_udp_end(const std::vector<std::uint32_t>& sessions);
  /// Ends the connection; session_ended() follows.
  void close(quic::ErrorCode code, std::string reason);

 private:
  enum class Phase { unregistered, registered, refused, closed };
  struct Waiting {
    SeatedVisitor seated;
    Time until;
  };

  // quic::ConnectionEvents
  void established(quic::Connection& connection) override;
  void stream_opened(quic::Connection& connection, quic::Stream& stream) override;
  void stream_credit(quic::Connection& connection) override;
  void filler_wanted(quic::Connection& connection, std::size_t bytes) override;
  void closed(quic::Connection& connection, const quic::CloseCause& cause) override;

  // ControlEvents
  void control_message(const wire::Message& message) override;
  void control_failed(const ControlFailure& failure) override;
  void control_finished() override;
  [[nodiscard]] Time last_data() const override { return connection_.last_data(); }

  // ServerTunnelEvents
  void service_reached() override;
  void service_not_reached() override;
  void tunnel_ended(ServerTunnel& tunnel) override;

  void register_client(const wire::Register& request);
  void refuse(const std::string& reason);
  void out_of_order(const char* message);
  void time_is_up();
  void open_tunnel(SeatedVisitor seated, quic::Stream& stream);
  void serve_waiting();
  void expect_sign_of_life(Duration within);
  void check_sign_of_life();
  void give_up_waiting();
  void give_up_waiting_at(Time until);

  WorkerState& worker_;
  CallGuard guard_;
  const std::size_t worker_index_;
  Pool& pool_;
  const HealthOptions& health_;
  const ServerAdvice* const advice_;  ///< may be absent
  quic::Connection& connection_;
  ServerSessionHost& host_;
  Phase phase_ = Phase::unregistered;
  std::unique_ptr<ControlStream> control_;
  Timer deadline_;  ///< to have registered; of a refused one to have heard why
  std::string client_id_;
  std::string instance_;
  std::string refusal_;
  ClientAbilities abilities_;
  MemberId member_ = 0;
  std::deque<Waiting> waiting_;  ///< for stream credit
  Timer waiting_too_long_;
  Time next_give_up_{};                   ///< when it is set: for when
  Timer sign_of_life_due_;                ///< after a new tunnel
  Time asked_at_{};                       ///< when the first tunnel was opened since the client was last heard
  Time silent_at_{};                      ///< when it should have answered that, at a round trip of no time
  Time namesake_asked_at_ = Time::min();  ///< when client_registered() asked last
  bool suspect_ = false;
  bool drains_ = false;                                                      ///< it has sent GoAway
  std::unordered_map<std::int64_t, std::unique_ptr<ServerTunnel>> tunnels_;  ///< by stream
};

}  // namespace qmux::tunnel

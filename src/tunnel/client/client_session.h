// SPDX-License-Identifier: MIT
//
// A connection to a server as the client sees it: registration, heartbeats, and the tunnels that the server opens.
//
// Owned by what receives its events; one thread. It makes no callbacks after session_ended().
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/call_guard.h"
#include "quic/connection.h"
#include "tunnel/client/client_tunnel.h"
#include "tunnel/client/client_udp.h"
#include "tunnel/client/local_service.h"
#include "tunnel/control/control_stream.h"
#include "tunnel/control/drain.h"
#include "tunnel/options.h"
#include "tunnel/worker/retired.h"
#include "tunnel/worker/worker_state.h"
#include "wire/messages.h"

namespace qmux::tunnel {

class ClientSession;

/// Why a session ended, or could not begin; for people.
struct SessionEnd {
  std::string cause;
  std::string remedy{};  ///< from ClientAdvice
  /// The server ended it in order, since it stops or another connection has taken the place; or its process is gone.
  bool stopping = false;
};

/// Never called from inside a call that the receiver makes to the session.
class ClientSessionEvents {
 public:
  /// The handshake is complete. The session registers next.
  virtual void session_established(ClientSession& session) = 0;
  /// The server has accepted the registration.
  virtual void session_registered(ClientSession& session) = 0;
  /// The server is to stop. The session goes on for the visitors that it has.
  virtual void server_drains(ClientSession& session) = 0;
  /// Nothing has come from the server for limits::kSilentPathTimeMax, and no more can be sent to it but from another port of this
  /// machine. Repeated while that lasts, limits::kPortChangesMax times.
  virtual void server_silent(ClientSession& session) = 0;
  /// The connection has ended. The receiver retires the session.
  virtual void session_ended(ClientSession& session, const SessionEnd& end) = 0;

 protected:
  ~ClientSessionEvents() = default;
};

class ClientSession final : public Retirable,
                            public quic::ConnectionEvents,
                            public ControlEvents,
                            public ClientTunnelEvents,
                            private DrainHost {
 public:
  /// `options` and `server` outlive it. `introduction`: its Register.
  ClientSession(WorkerState& worker, const ClientOptions& options, const ServerEntry& server,
                wire::Register introduction, ClientSessionEvents& events);
  ~ClientSession() override;

  /// The session is to end: the server is asked to send no more visitors. Those that are there, or on their way, go on. `reason`
  /// is for the server's log.
  void drain(const std::string& reason);
  /// The client's options have other values now. New tunnels follow them.
  void options_changed();
  /// This machine has been asleep, while the clock of the loop stood still. If the server has heard nothing for the health
  /// timeout, the session ends. Otherwise the server is sent a heartbeat, which also opens the way through a NAT again.
  void machine_woke(Duration asleep);
  [[nodiscard]] std::size_t tunnel_count() const noexcept { return tunnels_.size(); }
  /// After drain(): the connection is not needed any more.
  [[nodiscard]] bool is_drained() const noexcept;
  /// Visitors whose service has not been reached go back to the server. It is notified in this pass. True: there were some.
  bool return_visitors();
  [[nodiscard]] bool is_registered() const noexcept { return registered_; }
  /// The round-trip time when the connection ended; nothing before that, or when its handshake was not complete.
  [[nodiscard]] std::optional<Duration> last_rtt() const noexcept { return last_rtt_; }

 private:
  // quic::ConnectionEvents
  void established(quic::Connection& connection) override;
  void stream_opened(quic::Connection& connection, quic::Stream& stream) override;
  void stream_credit(quic::Connection& connection) override;
  void filler_wanted(quic::Connection& connection, std::size_t bytes) override;
  void peer_silent(quic::Connection& connection) override;
  void peer_heard(quic::Connection& connection) override;
  void closed(quic::Connection& connection, const quic::CloseCause& cause) override;

  // ControlEvents
  [[nodiscard]] bool control_message(const wire::Message& message) override;
  void control_failed(const ControlFailure& failure) override;
  void control_finished() override;
  [[nodiscard]] Time last_data() const override { return std::max(connection_->last_data(), back_at_); }

  // DrainHost
  [[nodiscard]] bool is_idle() const override;
  [[nodiscard]] Time last_heard() const override { return connection_->last_heard(); }
  void send_go_away(const wire::GoAway& message) override { control_->send(message); }

  // ClientTunnelEvents
  void tunnel_ended(ClientTunnel& tunnel) override;

  void silent_for_long();
  void open_control_stream();
  void go_away_received(const wire::GoAway& message);
  /// So that a NAT keeps the way from the server open, or gets a new one soon when it has forgotten it.
  void keep_path_alive();
  void begin_tunnel(quic::Stream& stream);
  void registration_answered(const wire::RegisterAck& answer);
  /// Closes the connection; session_ended() reports `cause`.
  void leave(quic::ErrorCode code, std::string cause);

  WorkerState& worker_;
  CallGuard guard_;
  const ClientOptions& options_;
  const ServerEntry& server_entry_;
  const wire::Register introduction_;
  ClientSessionEvents& events_;
  quic::Connection* connection_ = nullptr;  ///< once established
  std::unique_ptr<ControlStream> control_;
  Timer deadline_;              ///< for the answer to Register
  Timer silent_due_;            ///< while the server is silent
  Time back_at_ = Time::min();  ///< when something came again after a silence
  int port_changes_ = 0;        ///< since it was heard
  std::string own_cause_;
  RelayPeer server_ = RelayPeer::exact;
  std::optional<Duration> last_rtt_;
  bool registered_ = false;
  bool can_drain_ = false;  ///< the server understands GoAway
  Drain drain_;
  std::vector<quic::Stream*>
      early_;  ///< opened by the server before its answer arrived, because packets may be reordered
  LocalService local_service_;
  std::map<std::int64_t, std::unique_ptr<ClientTunnel>> tunnels_;  ///< by stream
  std::unique_ptr<EarlyDatagrams> early_datagrams_;                ///< until registered
  std::unique_ptr<ClientUdp> udp_;                                 ///< once registered
};

}  // namespace qmux::tunnel

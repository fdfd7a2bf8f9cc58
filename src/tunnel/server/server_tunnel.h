// SPDX-License-Identifier: MIT
//
// A visitor in service: its socket, its stream, and its assignment to a member of the pool.
//
// Owned by the session; one thread.
#pragma once

#include <cstdint>

#include "base/call_guard.h"
#include "base/timer_queue.h"
#include "quic/stream.h"
#include "tunnel/relay/relay.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/registration.h"
#include "tunnel/server/visitor.h"
#include "tunnel/worker/retired.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerTunnel;

/// Never called inside a call that the owner makes to the tunnel.
class ServerTunnelEvents {
 public:
  /// Whether the client has reached its local service, as soon as that is known: once at the most, and before tunnel_ended().
  virtual void service_reached() = 0;
  virtual void service_not_reached() = 0;
  /// Once, unless the owner ended the tunnel itself. The owner retires it.
  virtual void tunnel_ended(ServerTunnel& tunnel) = 0;

 protected:
  ~ServerTunnelEvents() = default;
};

class ServerTunnel final : public Retirable, private RelayEvents {
 public:
  /// Moves the visitor to this worker and sends the request for the local service on the new stream.
  ServerTunnel(WorkerState& worker, const ClientAbilities& client, AssignedVisitor assigned, quic::Stream& stream,
               ServerTunnelEvents& events);

  [[nodiscard]] std::int64_t stream_id() const noexcept { return stream_id_; }
  /// Ends it, with the connection; tunnel_ended() does not follow.
  void connection_lost();

 private:
  void relay_acknowledged(Relay& relay) override;
  void relay_ended(Relay& relay, const RelayEnd& end) override;
  void account(const RelayEnd& end);
  /// The client has not answered whether it has reached its service.
  void no_ack();

  WorkerState& worker_;
  ServerTunnelEvents& events_;
  CallGuard guard_;
  const std::int64_t stream_id_;
  const std::uint64_t conn_id_;
  const Address visitor_;
  VisitorAdmission::Ticket ticket_;
  Pool::Assignment assignment_;
  Relay relay_;
  Timer ack_due_;
  bool reached_ = false;  ///< the client's local service
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// A visitor in service: its socket, its stream, and its assignment to a member of the pool. With a client that tells of a failed
// dial it is an offer first, from which the visitor can return.
//
// Owned by the session; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/call_guard.h"
#include "base/timer_queue.h"
#include "quic/stream.h"
#include "tunnel/relay/relay.h"
#include "tunnel/server/offer.h"
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
  /// It has not said so promptly. Once at the most, and before those two.
  virtual void service_not_reached_promptly() = 0;
  /// Once, unless the owner ended the tunnel itself. The owner retires it. `returned`: the visitor can be served by another
  /// client.
  virtual void tunnel_ended(ServerTunnel& tunnel, std::optional<AssignedVisitor> returned) = 0;

 protected:
  ~ServerTunnelEvents() = default;
};

class ServerTunnel final : public Retirable, public RelayEvents, public OfferEvents {
 public:
  /// Moves the visitor to this worker and sends the request for the local service on the new stream. `prompt`: how soon the
  /// client is to answer it.
  ServerTunnel(WorkerState& worker, const OfferRules& rules, const ClientAbilities& client, AssignedVisitor assigned,
               quic::Stream& stream, Duration prompt, ServerTunnelEvents& events);

  [[nodiscard]] std::int64_t stream_id() const noexcept { return stream_id_; }
  /// Nothing has come from the local service yet, and the visitor may be taken back.
  [[nodiscard]] bool is_offer() const noexcept { return offer_ != nullptr; }
  /// Ends it, with the connection; tunnel_ended() does not follow. Returns the visitor if another client may serve it.
  [[nodiscard]] std::optional<AssignedVisitor> connection_lost();
  /// The same, because the client is silent. nullopt: the tunnel goes on.
  [[nodiscard]] std::optional<AssignedVisitor> take_back();

 private:
  // RelayEvents
  void relay_acknowledged(Relay& relay) override;
  void relay_ended(Relay& relay, const RelayEnd& end) override;
  // OfferEvents
  void offer_acknowledged() override;
  void offer_decided() override;
  void offer_refused(quic::ErrorCode why) override;

  void service_reached();
  [[nodiscard]] AssignedVisitor take_visitor(Offer::Parts parts, RelayEnd::Cause cause);
  /// The visitor is served no more.
  void finish(const RelayEnd& end);
  void account(const RelayEnd& end);
  /// The client has not answered whether it has reached its service.
  void no_ack();

  WorkerState& worker_;
  const OfferRules& rules_;
  ServerTunnelEvents& events_;
  CallGuard guard_;
  const std::int64_t stream_id_;
  const std::uint64_t conn_id_;
  const RelayPeer peer_;
  AssignedVisitor assigned_;  ///< without its socket
  std::unique_ptr<Offer> offer_;
  std::optional<Relay> relay_;  ///< once the offer is decided
  Timer ack_due_;               ///< of a Go client: when it must have reached its service
  const Time ack_time_max_;     ///< when the client has had all its time to answer
  bool reached_ = false;        ///< the client's local service
};

}  // namespace qmux::tunnel

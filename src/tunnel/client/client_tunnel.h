// SPDX-License-Identifier: MIT
//
// A tunnel as the client sees it: a stream that the server opened, from its NewConn through the dial of the local service to
// the relay between the two.
//
// Owned by the session; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/call_guard.h"
#include "quic/stream.h"
#include "tunnel/client/dial.h"
#include "tunnel/client/local_service.h"
#include "tunnel/relay/memory_budget.h"
#include "tunnel/relay/relay.h"
#include "tunnel/worker/retired.h"
#include "tunnel/worker/worker_state.h"
#include "wire/message_reader.h"
#include "wire/messages.h"

namespace qmux::tunnel {

class ClientTunnel;

/// Never called inside a call that the owner makes to the tunnel.
class ClientTunnelEvents {
 public:
  /// Once, unless the owner ended the tunnel itself. The owner retires it.
  virtual void tunnel_ended(ClientTunnel& tunnel) = 0;

 protected:
  ~ClientTunnelEvents() = default;
};

class ClientTunnel final : public Retirable,
                           private quic::StreamEvents,
                           public RelayEvents,
                           private MemoryBudget::Holder {
 public:
  /// `service` outlives it. `server`: how the other end relays.
  ClientTunnel(WorkerState& worker, LocalService& service, RelayPeer server, quic::Stream& stream,
               ClientTunnelEvents& events);
  ~ClientTunnel() override;

  [[nodiscard]] std::int64_t stream_id() const noexcept { return stream_id_; }
  /// If the local service has not been reached, ends the tunnel, so that the server gives the visitor to another client;
  /// tunnel_ended() does not follow. False: the tunnel goes on.
  [[nodiscard]] bool go_away();
  /// Ends it, with the connection; tunnel_ended() does not follow.
  void connection_lost();

 private:
  // Before the relay exists, this object gets the stream's events.
  void stream_readable(quic::Stream& stream) override;
  void stream_writable(quic::Stream& stream) override;
  void stream_send_done(quic::Stream& stream) override;

  // MemoryBudget::Holder, until there is a relay: for the bytes that the visitor has sent meanwhile.
  bool has_progressed() override { return false; }
  void evicted() override;

  void relay_acknowledged(Relay& relay) override;
  void relay_ended(Relay& relay, const RelayEnd& end) override;

  [[nodiscard]] bool has_last_bytes() const;
  void read_request();
  void begin_dial(const wire::NewConn& request);
  void dialed(Result<std::unique_ptr<io::TcpSocket>> result);
  /// The request has failed: reports that to the server and ends.
  void give_up(quic::ErrorCode code);
  void let_go(quic::ErrorCode code);
  void account(const RelayEnd& end);

  WorkerState& worker_;
  LocalService& service_;
  const RelayPeer server_;
  ClientTunnelEvents& events_;
  CallGuard guard_;
  const std::int64_t stream_id_;
  quic::Stream* stream_;  ///< until the relay takes it or it is released
  wire::MessageReader reader_;
  wire::NewConn request_;
  Timer deadline_;  ///< for NewConn
  std::unique_ptr<Dial> dial_;
  std::optional<Relay> relay_;
};

}  // namespace qmux::tunnel

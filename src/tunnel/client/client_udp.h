// SPDX-License-Identifier: MIT
//
// The client's side of the UDP sessions of a connection: for each session of the server, a socket of its own towards the local
// service.
//
// Owned by the client's session; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "quic/connection.h"
#include "tunnel/client/client_udp_session.h"
#include "tunnel/client/early_datagrams.h"
#include "tunnel/client/local_service.h"
#include "tunnel/options.h"
#include "tunnel/udp/session_ages.h"
#include "tunnel/udp/udp_channel.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ClientUdp final : private UdpChannelEvents, private ClientUdpSessionEvents, private LocalService::AddressWaiter {
 public:
  /// `service` and `options` outlive it.
  ClientUdp(WorkerState& worker, quic::Connection& connection, LocalService& service, const UdpOptions& options,
            bool fragment_sequence);
  ClientUdp(const ClientUdp&) = delete;
  ClientUdp& operator=(const ClientUdp&) = delete;
  /// Ends all sessions.
  ~ClientUdp();

  /// Datagrams that arrived before this object existed.
  void receive_early(const EarlyDatagrams::Datagrams& early);

  /// The server has ended these sessions. Unknown ids are ignored: those sessions have already ended here.
  void end_sessions(std::span<const std::uint32_t> ids);

 private:
  using Sessions = SessionAges<ClientUdpSession>;

  // UdpChannelEvents
  void payload_received(std::uint32_t session, ConstBytes payload) override;

  // ClientUdpSessionEvents
  void session_answered(ClientUdpSession& session) override;

  Sessions::Place find_or_begin(std::uint32_t id);
  void end(Sessions::Place session);
  void end_idle();
  /// Opens at once if the service's addresses are known, otherwise after a look-up.
  void open(ClientUdpSession& session);
  void service_found(const Result<LocalService::Addresses>& addresses) override;

  WorkerState& worker_;
  LocalService& service_;
  const UdpOptions& options_;
  UdpChannel channel_;
  Sessions sessions_;
  std::unordered_map<std::uint32_t, Sessions::Place> by_id_;
  Timer idle_;
};

}  // namespace qmux::tunnel

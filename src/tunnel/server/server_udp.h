// SPDX-License-Identifier: MIT
//
// The server's side of the UDP sessions of one client's connection: the session id of each visitor, and its payloads that wait to
// be sent.
//
// Owned by the worker's part of the listener; one thread. Ids count up, so that none is reused while the client may still hold
// it.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/call_guard.h"
#include "base/io/datagram_socket.h"
#include "base/timer_queue.h"
#include "tunnel/options.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/server_session.h"
#include "tunnel/server/udp_end_notice.h"
#include "tunnel/server/udp_event_queue.h"
#include "tunnel/server/udp_visitor.h"
#include "tunnel/udp/session_ages.h"
#include "tunnel/udp/udp_channel.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

/// Never called inside a call that the receiver makes to ServerUdp.
class ServerUdpEvents {
 public:
  /// A payload from the client, to be sent to the visitor.
  virtual void udp_answer(const UdpVisitor& visitor, ConstBytes payload) = 0;

 protected:
  ~ServerUdpEvents() = default;
};

class ServerUdp final : private UdpChannelEvents {
 public:
  /// `session`: of the client, registered. It, `options` and `event_queue` outlive this. What becomes of UDP sessions is added to
  /// `event_queue`.
  ServerUdp(WorkerState& worker, ServerSession& session, const UdpOptions& options, UdpEventQueue& event_queue,
            ServerUdpEvents& events);
  ServerUdp(const ServerUdp&) = delete;
  ServerUdp& operator=(const ServerUdp&) = delete;
  /// Ends all sessions.
  ~ServerUdp();

  /// Opens a session for the visitor. If it has one, that session continues with the new assignment.
  void open(AssignedUdpVisitor assigned);
  /// From a visitor, to the client. Dropped and counted when the visitor has no session (any more).
  void send(const io::PacketRun& packets);
  /// The entrance has given the route to another visitor: ends the session without an event.
  void evict(const UdpVisitor& visitor, std::uint64_t route);

 private:
  struct Session {
    Session(UdpSender& sender, std::uint32_t id, AssignedUdpVisitor visitor)
        : assigned(std::move(visitor)), flow(sender, id) {}

    AssignedUdpVisitor assigned;
    UdpFlow flow;
    Time last_used{};
    bool answered = false;  ///< the client has sent something back
  };
  using Sessions = SessionAges<Session>;

  void payload_received(std::uint32_t session, ConstBytes payload) override;

  void end(Sessions::Place session);
  void end_idle();

  WorkerState& worker_;
  const UdpOptions& options_;
  UdpEventQueue& event_queue_;
  ServerUdpEvents& events_;
  CallGuard guard_;
  const bool notifies_ends_;
  UdpChannel channel_;
  UdpEndNotice end_notice_;
  Sessions sessions_;
  std::unordered_map<UdpVisitor, Sessions::Place, UdpVisitor::Hash> by_visitor_;
  std::unordered_map<std::uint32_t, Sessions::Place> by_id_;
  std::uint32_t last_id_ = 0;
  Timer idle_;
};

}  // namespace qmux::tunnel

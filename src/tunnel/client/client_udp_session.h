// SPDX-License-Identifier: MIT
//
// The client's side of a visitor's UDP: a session id from the server, and a socket connected to the local service.
//
//   begun, waits for the service's address -> open
//
// An ICMP error does not end it: the service may come back. Until the service has answered, each such error makes it try the next
// of the service's addresses, in a cycle. Owned by ClientUdp; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/call_guard.h"
#include "base/io/datagram_socket.h"
#include "base/io/event_loop.h"
#include "base/io/overflow_watch.h"
#include "base/time.h"
#include "tunnel/udp/payload_queue.h"
#include "tunnel/udp/udp_sender.h"
#include "tunnel/udp/unread.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ClientUdpSession;

/// Never called inside a call that the owner makes to the session.
class ClientUdpSessionEvents {
 public:
  /// The service has sent something.
  virtual void session_answered(ClientUdpSession& session) = 0;

 protected:
  ~ClientUdpSessionEvents() = default;
};

class ClientUdpSession final : private io::DatagramSocket::Events, private Unread::Events {
 public:
  ClientUdpSession(WorkerState& worker, UdpSender& sender, std::uint32_t id, ClientUdpSessionEvents& events);
  ClientUdpSession(const ClientUdpSession&) = delete;
  ClientUdpSession& operator=(const ClientUdpSession&) = delete;
  ~ClientUdpSession();

  [[nodiscard]] std::uint32_t id() const noexcept { return flow_.session(); }
  /// Opens the socket to the first usable address and sends the waiting payloads. If there is none, they are dropped.
  void open(std::span<const Address> service);
  [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr; }
  /// To the local service. The payload waits, within bounds, while the session is not open.
  void deliver(ConstBytes payload);

  // Its owner's notes.
  Time last_used{};
  bool answered = false;

 private:
  void datagrams_readable() override;
  void datagrams_writable() override {}
  void read_on() override { datagrams_readable(); }

  /// The path to the service may have failed: logs it, and tries the next address while the service has never answered.
  void check_reachable();
  /// True: the session is open.
  bool open_next();
  void close();

  WorkerState& worker_;
  ClientUdpSessionEvents& events_;
  CallGuard guard_;
  UdpFlow flow_;
  PayloadQueue early_;  ///< payloads that arrived before the socket was open
  UdpSender& sender_;   ///< of the connection: its account limits the waiting payloads
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  Address remote_;
  std::unique_ptr<io::DatagramSocket> socket_;
  io::OverflowWatch overflow_;
};

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/server/server_tunnel.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/describe.h"
#include "wire/messages.h"

namespace qmux::tunnel {
namespace {

/// Sends what the client must have before the relay may use the stream: NewConn, and the bytes that the visitor has sent so far.
quic::Stream& introduce(quic::Stream& stream, const Visitor& visitor, std::uint64_t conn_id, bool ack,
                        std::int64_t unix_seconds) {
  std::vector<std::byte> bytes;
  wire::encode(wire::NewConn{.conn_id = conn_id,
                             .protocol = "tcp",
                             .source_addr = visitor.remote.text(),
                             .dest_addr = visitor.local.text(),
                             .timestamp = unix_seconds,
                             .ack = ack},
               bytes);
  stream.send_copy(bytes);
  if (!visitor.prefix.empty()) stream.send_copy(visitor.prefix);
  return stream;
}

std::unique_ptr<io::TcpSocket> adopt(WorkerState& worker, io::TcpHandle handle) {
  std::unique_ptr<io::TcpSocket> socket = worker.loop.adopt_tcp(std::move(handle));
  if (worker.tcp_keep_alive > Duration::zero()) socket->keep_alive(worker.tcp_keep_alive);
  return socket;
}

}  // namespace

ServerTunnel::ServerTunnel(WorkerState& worker, const ClientAbilities& client, AssignedVisitor assigned,
                           quic::Stream& stream, ServerTunnelEvents& events)
    : worker_(worker),
      events_(events),
      stream_id_(stream.id()),
      conn_id_(worker.loop.random().next_u64()),
      visitor_(assigned.visitor.remote),
      ticket_(std::move(assigned.visitor.ticket)),
      assignment_(std::move(assigned.assignment)),
      relay_(worker.loop, worker.memory, adopt(worker, std::move(assigned.visitor.socket)),
             introduce(stream, assigned.visitor, conn_id_, client.conn_ack, worker.loop.unix_seconds()), *this,
             {.peer = client.names_instances ? RelayPeer::exact : RelayPeer::go_client,
              .conn_id = conn_id_,
              .expect_ack = client.conn_ack}),
      ack_due_(worker.loop.timers(), [this] { no_ack(); }) {
  ++worker_.counters.tunnels_opened;
  if (client.conn_ack) ack_due_.set(worker.loop.now() + limits::kConnAckTimeMax);
}

void ServerTunnel::connection_lost() {
  const auto call = guard_.call();
  ack_due_.cancel();
  account(relay_.connection_lost());
}

void ServerTunnel::relay_acknowledged(Relay& /*relay*/) {
  ack_due_.cancel();
  reached_ = true;
  guard_.check_no_call();
  events_.service_reached();
}

void ServerTunnel::no_ack() {
  account(relay_.abort(quic::ErrorCode::limit_reached));
  guard_.check_no_call();
  events_.tunnel_ended(*this);
}

void ServerTunnel::relay_ended(Relay& /*relay*/, const RelayEnd& end) {
  ack_due_.cancel();
  guard_.check_no_call();
  if (end.cause == RelayEnd::Cause::dial_failed) {
    events_.service_not_reached();
  } else if (end.cause == RelayEnd::Cause::complete && !reached_) {
    events_.service_reached();  // the service was reached and has ended without a byte
  }
  account(end);
  guard_.check_no_call();
  events_.tunnel_ended(*this);
}

void ServerTunnel::account(const RelayEnd& end) {
  worker_.counters.tunnel_closed(end);
  worker_.counters.bytes_from_visitors += end.bytes_to_stream;
  worker_.counters.bytes_to_visitors += end.bytes_to_socket;
  assignment_ = {};
  ticket_ = {};
  if (!log::enabled(log::Level::debug)) return;
  log::debug("tunnel ended", {{"conn_id", conn_id_},
                              {"visitor", visitor_.text()},
                              {"cause", describe(end.cause)},
                              {"peer_code", end.peer_code},
                              {"from_visitor", end.bytes_to_stream},
                              {"to_visitor", end.bytes_to_socket}});
}

}  // namespace qmux::tunnel

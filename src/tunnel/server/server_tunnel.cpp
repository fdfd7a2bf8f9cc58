// SPDX-License-Identifier: MIT
#include "tunnel/server/server_tunnel.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/describe.h"
#include "wire/messages.h"

namespace qmux::tunnel {
namespace {

/// Sends what the client must have first: NewConn, and the bytes that the visitor has sent so far.
void introduce(quic::Stream& stream, const Visitor& visitor, std::uint64_t conn_id, bool ack,
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
}

std::unique_ptr<io::TcpSocket> adopt(WorkerState& worker, io::TcpHandle handle) {
  std::unique_ptr<io::TcpSocket> socket = worker.loop.adopt_tcp(std::move(handle));
  if (worker.tcp_keep_alive > Duration::zero()) socket->keep_alive(worker.tcp_keep_alive);
  return socket;
}

}  // namespace

ServerTunnel::ServerTunnel(WorkerState& worker, const OfferRules& rules, const ClientAbilities& client,
                           AssignedVisitor assigned, quic::Stream& stream, Duration prompt, ServerTunnelEvents& events)
    : worker_(worker),
      rules_(rules),
      events_(events),
      stream_id_(stream.id()),
      conn_id_(worker.loop.random().next_u64()),
      peer_(client.names_instances ? RelayPeer::exact : RelayPeer::go_client),
      assigned_(std::move(assigned)),
      ack_due_(worker.loop.timers(), [this] { no_ack(); }),
      ack_time_max_(worker.loop.now() + limits::kConnAckTimeMax) {
  Visitor& visitor = assigned_.visitor;
  std::unique_ptr<io::TcpSocket> socket = adopt(worker, std::move(visitor.socket));
  introduce(stream, visitor, conn_id_, client.conn_ack, worker.loop.unix_seconds());
  if (visitor.offers++ > 0) ++worker.counters.visitors_handed_over;
  const bool tells_failed_dials = client.conn_ack || peer_ == RelayPeer::go_client;
  if (tells_failed_dials && rules.handover != Handover::off && visitor.offers < limits::kVisitorOffersMax &&
      rules.kept->add(visitor.prefix.size())) {
    offer_ = std::make_unique<Offer>(rules, std::move(socket), stream, visitor.prefix, *this);
    if (peer_ == RelayPeer::go_client) {
      offer_->expect_go_client(worker.loop, conn_id_);
      ack_due_.set(worker.loop.now() + limits::kGoDialTimeMax);
    }
  } else {
    relay_.emplace(worker.loop, worker.memory, std::move(socket), stream, *this,
                   RelayOptions{.peer = peer_,
                                .conn_id = conn_id_,
                                .service = client.conn_ack ? RelayService::ack_expected : RelayService::unknown,
                                .bytes_to_stream = visitor.prefix.size()});
    visitor.prefix = {};
  }
  ++worker_.counters.tunnels_opened;
  if (client.conn_ack) ack_due_.set(worker.loop.now() + prompt);
}

// --- while it is an offer ---------------------------------------------------------------------------------------------

void ServerTunnel::offer_acknowledged() { service_reached(); }

void ServerTunnel::offer_decided() {
  Offer::Parts parts = offer_->release();
  RelayService service = parts.acknowledged ? RelayService::reached : RelayService::ack_expected;
  if (peer_ == RelayPeer::go_client) {
    service = RelayService::unknown;
    ack_due_.cancel();
  }
  relay_.emplace(worker_.loop, worker_.memory, std::move(parts.socket), *parts.stream, *this,
                 RelayOptions{.peer = peer_,
                              .conn_id = conn_id_,
                              .service = service,
                              .socket_finished = parts.visitor_ended,
                              .bytes_to_stream = parts.bytes_sent});
  offer_.reset();
  assigned_.visitor.prefix = {};
}

void ServerTunnel::offer_refused(quic::ErrorCode why) {
  ack_due_.cancel();
  RelayEnd::Cause cause = RelayEnd::Cause::taken_back;
  if (why == quic::ErrorCode::dial_failed) {
    cause = RelayEnd::Cause::dial_failed;
    assigned_.visitor.failed.push_back(assigned_.assignment.member());
    guard_.check_no_call();
    events_.service_not_reached();
  }
  AssignedVisitor returned = take_visitor(offer_->release(), cause);
  guard_.check_no_call();
  events_.tunnel_ended(*this, std::move(returned));
}

AssignedVisitor ServerTunnel::take_visitor(Offer::Parts parts, RelayEnd::Cause cause) {
  if (parts.stream != nullptr) {
    parts.stream->reset(quic::ErrorCode::going_away);
    parts.stream->stop_reading(quic::ErrorCode::going_away);
    parts.stream->release();
  }
  offer_.reset();
  ack_due_.cancel();
  account({.cause = cause});
  ++worker_.counters.visitors_returned;
  AssignedVisitor returned = std::move(assigned_);
  returned.visitor.socket = parts.socket->detach();
  returned.visitor.deadline = std::max(returned.visitor.deadline, worker_.loop.now() + rules_.wait_for_client);
  return returned;
}

// --- its end ----------------------------------------------------------------------------------------------------------

std::optional<AssignedVisitor> ServerTunnel::connection_lost() {
  const auto call = guard_.call();
  ack_due_.cancel();
  if (relay_) {
    finish(relay_->connection_lost());
    return std::nullopt;
  }
  const bool may_be_taken_back = offer_->may_be_taken_back();
  Offer::Parts parts = offer_->release();
  parts.stream = nullptr;  // has gone with the connection
  if (may_be_taken_back) return take_visitor(std::move(parts), RelayEnd::Cause::connection_lost);
  offer_.reset();
  parts.socket->abort();
  finish({.cause = RelayEnd::Cause::connection_lost, .bytes_to_stream = parts.bytes_sent});
  return std::nullopt;
}

std::optional<AssignedVisitor> ServerTunnel::take_back() {
  const auto call = guard_.call();
  if (!offer_ || !offer_->may_be_taken_back()) return std::nullopt;
  return take_visitor(offer_->release(), RelayEnd::Cause::taken_back);
}

void ServerTunnel::no_ack() {
  guard_.check_no_call();
  if (peer_ == RelayPeer::go_client) return offer_->assume_acknowledged();
  if (worker_.loop.now() < ack_time_max_) {
    ack_due_.set(ack_time_max_);
    events_.service_not_reached_promptly();
    return;
  }
  if (offer_) offer_decided();
  if (relay_) finish(relay_->abort(quic::ErrorCode::limit_reached));
  events_.tunnel_ended(*this, std::nullopt);
}

void ServerTunnel::relay_acknowledged(Relay& /*relay*/) { service_reached(); }

void ServerTunnel::service_reached() {
  ack_due_.cancel();
  reached_ = true;
  guard_.check_no_call();
  events_.service_reached();
}

void ServerTunnel::relay_ended(Relay& /*relay*/, const RelayEnd& end) {
  ack_due_.cancel();
  guard_.check_no_call();
  if (end.cause == RelayEnd::Cause::dial_failed) {
    events_.service_not_reached();
  } else if (end.cause == RelayEnd::Cause::complete && !reached_) {
    events_.service_reached();  // the service was reached and has ended without a byte
  }
  finish(end);
  guard_.check_no_call();
  events_.tunnel_ended(*this, std::nullopt);
}

void ServerTunnel::finish(const RelayEnd& end) {
  account(end);
  assigned_.assignment = {};
  assigned_.visitor.ticket = {};
}

void ServerTunnel::account(const RelayEnd& end) {
  worker_.counters.tunnel_closed(end);
  worker_.counters.bytes_from_visitors += end.bytes_to_stream;
  worker_.counters.bytes_to_visitors += end.bytes_to_socket;
  if (!log::enabled(log::Level::debug)) return;
  log::debug("tunnel ended", {{"conn_id", conn_id_},
                              {"visitor", assigned_.visitor.remote.text()},
                              {"cause", describe(end.cause)},
                              {"peer_code", end.peer_code},
                              {"from_visitor", end.bytes_to_stream},
                              {"to_visitor", end.bytes_to_socket}});
}

}  // namespace qmux::tunnel

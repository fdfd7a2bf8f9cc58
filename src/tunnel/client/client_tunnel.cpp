// SPDX-License-Identifier: MIT
#include "tunnel/client/client_tunnel.h"

#include <array>
#include <utility>
#include <variant>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/relay/acknowledgement.h"
#include "tunnel/worker/describe.h"

namespace qmux::tunnel {

using quic::ErrorCode;

ClientTunnel::ClientTunnel(WorkerState& worker, LocalService& service, RelayPeer server, quic::Stream& stream,
                           ClientTunnelEvents& events)
    : Holder(worker.memory),
      worker_(worker),
      service_(service),
      server_(server),
      events_(events),
      stream_id_(stream.id()),
      stream_(&stream),
      deadline_(worker.loop.timers(), [this] {
        ++worker_.counters.requests_malformed;
        give_up(ErrorCode::internal);
      }) {
  ++worker_.counters.streams_accepted;
  stream.set_events(this);
  deadline_.set(worker_.loop.now() + limits::kNewConnTimeMax);
}

ClientTunnel::~ClientTunnel() {
  if (stream_ != nullptr) stream_->release();
}

void ClientTunnel::stream_readable(quic::Stream& stream) {
  if (!dial_) read_request();
  if (stream_ == nullptr) return;
  // FIN during the dial means that the visitor sends no more. A reset means that it has disconnected.
  if ((stream.reset_received() && !has_last_bytes()) || (!dial_ && stream.at_end())) {
    ++worker_.counters.requests_lost;
    give_up(ErrorCode::tcp_reset);
    return;
  }
  charge(stream.readable_bytes(), false);
}

void ClientTunnel::evicted() {
  ++worker_.counters.requests_lost;
  give_up(ErrorCode::limit_reached);
}

void ClientTunnel::stream_writable(quic::Stream& stream) {
  if (!stream.send_stopped() || has_last_bytes()) return;
  ++worker_.counters.requests_lost;
  give_up(ErrorCode::tcp_reset);
}

void ClientTunnel::stream_send_done(quic::Stream& /*stream*/) {}

/// Bytes received before the reset still go to the service once it is reached.
bool ClientTunnel::has_last_bytes() const {
  const auto reset = stream_->reset_received();
  const bool counts = !reset || *reset == static_cast<std::uint64_t>(ErrorCode::tcp_reset);
  return dial_ != nullptr && counts && stream_->readable_bytes() > 0;
}

void ClientTunnel::read_request() {
  std::array<ConstBytes, 1> view;
  while (stream_->readable(view) > 0) {
    auto step = reader_.read(view[0]);
    if (step) stream_->consume(step->consumed);
    const wire::NewConn* request = nullptr;
    if (step) {
      const std::optional<wire::Message>& message = step->message;
      if (!message) continue;
      request = std::get_if<wire::NewConn>(&*message);
    }
    if (request == nullptr || request->protocol != "tcp") {
      ++worker_.counters.requests_malformed;
      worker_.complaints.malformed.write(worker_.loop.now(), log::Level::warn, "tunnel refused",
                                         {{"cause", "no request for a TCP connection"}});
      give_up(ErrorCode::internal);
      return;
    }
    begin_dial(*request);
    return;
  }
}

void ClientTunnel::begin_dial(const wire::NewConn& request) {
  request_ = request;
  deadline_.cancel();
  dial_ = std::make_unique<Dial>(worker_.loop, service_,
                                 [this](Result<std::unique_ptr<io::TcpSocket>> result) { dialed(std::move(result)); });
}

void ClientTunnel::dialed(Result<std::unique_ptr<io::TcpSocket>> result) {
  if (!result) {
    ++worker_.counters.dials_failed;
    worker_.complaints.unreachable.write(worker_.loop.now(), log::Level::warn, "local service unreachable",
                                         {{"service", service_.address().text()}, {"cause", result.error().text()}});
    give_up(ErrorCode::dial_failed);
    return;
  }
  release();
  if (request_.ack) stream_->send_copy(kAcknowledgement);
  ++worker_.counters.tunnels_opened;
  if (worker_.tcp_keep_alive > Duration::zero()) (*result)->keep_alive(worker_.tcp_keep_alive);
  relay_.emplace(worker_.loop, worker_.memory, std::move(*result), *std::exchange(stream_, nullptr), *this,
                 RelayOptions{.peer = server_, .conn_id = request_.conn_id});
  dial_.reset();
}

void ClientTunnel::give_up(ErrorCode code) {
  let_go(code);
  guard_.check_no_call();
  events_.tunnel_ended(*this);
}

bool ClientTunnel::go_away() {
  const auto call = guard_.call();
  if (relay_) return false;
  ++worker_.counters.requests_lost;
  let_go(ErrorCode::going_away);
  return true;
}

void ClientTunnel::let_go(ErrorCode code) {
  quic::Stream& stream = *std::exchange(stream_, nullptr);
  deadline_.cancel();
  dial_.reset();
  release();
  stream.reset(code);
  stream.stop_reading(code);
  stream.release();
}

void ClientTunnel::relay_acknowledged(Relay& /*relay*/) {}

void ClientTunnel::relay_ended(Relay& /*relay*/, const RelayEnd& end) {
  account(end);
  guard_.check_no_call();
  events_.tunnel_ended(*this);
}

void ClientTunnel::connection_lost() {
  const auto call = guard_.call();
  deadline_.cancel();
  dial_.reset();
  release();
  stream_ = nullptr;
  if (relay_) {
    account(relay_->connection_lost());
  } else {
    ++worker_.counters.requests_lost;
  }
}

void ClientTunnel::account(const RelayEnd& end) {
  worker_.counters.tunnel_closed(end);
  worker_.counters.bytes_to_visitors += end.bytes_to_stream;
  worker_.counters.bytes_from_visitors += end.bytes_to_socket;
  if (!log::enabled(log::Level::debug)) return;
  log::debug("tunnel ended", {{"conn_id", request_.conn_id},
                              {"visitor", request_.source_addr},
                              {"cause", describe(end.cause)},
                              {"peer_code", end.peer_code},
                              {"from_visitor", end.bytes_to_socket},
                              {"to_visitor", end.bytes_to_stream}});
}

}  // namespace qmux::tunnel

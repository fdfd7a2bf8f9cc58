// SPDX-License-Identifier: MIT
#include "tunnel/client/client_udp_session.h"

#include <array>
#include <utility>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/describe.h"

namespace qmux::tunnel {

ClientUdpSession::ClientUdpSession(WorkerState& worker, UdpSender& sender, std::uint32_t id,
                                   ClientUdpSessionEvents& events)
    : worker_(worker), events_(events), flow_(sender, id), early_(worker.chunks, sender), sender_(sender) {}

ClientUdpSession::~ClientUdpSession() {
  close();
  for (; !early_.empty(); early_.pop()) worker_.counters.udp.drop(UdpDrop::no_socket);
}

void ClientUdpSession::close() {
  if (!socket_) return;
  worker_.udp.unread.forget(*this);
  worker_.udp.send_batch.forget(*socket_);
  socket_.reset();
  overflow_.begin_anew();
}

void ClientUdpSession::open(std::span<const Address> service) {
  const auto call = guard_.call();
  addresses_.assign(service.begin(), service.end());
  next_address_ = 0;
  open_next();
  while (!early_.empty()) {
    if (socket_) {
      std::array<ConstBytes, PayloadQueue::kPiecesMax> pieces;
      const std::size_t count = early_.view(0, early_.front().bytes, pieces);
      worker_.udp.send_batch.add(*socket_, {}, remote_, std::span(pieces).first(count));
    } else {
      worker_.counters.udp.drop(UdpDrop::no_socket);
    }
    early_.pop();
  }
}

bool ClientUdpSession::open_next() {
  close();
  for (std::size_t attempts = addresses_.size(); attempts > 0; --attempts) {
    remote_ = addresses_[next_address_];
    next_address_ = (next_address_ + 1) % addresses_.size();
    auto socket = worker_.loop.open_datagram({.local = Address::any(remote_.family(), 0),
                                              .remote = remote_,
                                              .buffer_bytes = limits::kUdpServiceSocketBytes,
                                              .fragmentable = true},
                                             *this);
    if (socket) {
      socket_ = std::move(*socket);
      return true;
    }
    worker_.complaints.unreachable.write(worker_.loop.now(), log::Level::warn, "no socket for the local service",
                                         {{"service", remote_.text()}, {"cause", socket.error().text()}});
  }
  return false;
}

void ClientUdpSession::deliver(ConstBytes payload) {
  const auto call = guard_.call();
  if (socket_) {
    worker_.udp.send_batch.add(*socket_, {}, remote_, std::span(&payload, 1));
  } else if (sender_.has_room() && early_.held_bytes() + payload.size() <= limits::kUdpEarlyBytesMax) {
    early_.push(payload, worker_.loop.now());
  } else {
    worker_.counters.udp.drop(UdpDrop::no_socket);
  }
}

void ClientUdpSession::check_reachable() {
  const io::Unreachable why = socket_->unreachable();
  if (why == io::Unreachable::none) return;
  ++worker_.counters.udp.service_unreachable;
  worker_.complaints.udp_unreachable.write(worker_.loop.now(), log::Level::warn, "local service unreachable by UDP",
                                           {{"service", remote_.text()}, {"cause", describe(why)}});
  if (!answered && addresses_.size() > 1) open_next();
}

void ClientUdpSession::datagrams_readable() {
  std::array<io::PacketRun, 8> runs;
  for (std::size_t bytes = 0; bytes < limits::kUdpReadBytesMax;) {
    const std::size_t count = socket_->receive(runs);
    worker_.counters.udp.overflowed += overflow_.more(*socket_);
    if (count == 0) return check_reachable();
    guard_.check_no_call();
    events_.session_answered(*this);
    for (const io::PacketRun& packets : std::span(runs).first(count)) {
      bytes += packets.bytes.size() + limits::kUdpReadRunBytes;
      worker_.counters.udp.payloads_received += packets.packet_count();
      for (std::size_t i = 0; i < packets.packet_count(); ++i) flow_.push(packets.packet(i));
    }
  }
  worker_.udp.unread.add(*this);
}

}  // namespace qmux::tunnel

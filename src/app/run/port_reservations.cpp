// SPDX-License-Identifier: MIT
#include "app/run/port_reservations.h"

#include <utility>

namespace qmux::app {

Result<ReservedAddress> PortReservations::take_quic(const Address& where) { return take(Kind::quic, where); }

Result<ReservedAddress> PortReservations::take(Kind kind, const Address& where) {
  const auto name_of = [kind](const Address& address) {
    return std::to_string(static_cast<int>(kind)) + ' ' + address.text();
  };
  std::erase_if(taken_, [](const auto& each) { return each.second.expired(); });
  if (const auto found = taken_.find(name_of(where)); found != taken_.end()) {
    return ReservedAddress{.address = where, .hold = found->second.lock()};
  }
  const net::Transport transport = kind == Kind::tcp ? net::Transport::tcp : net::Transport::udp;
  auto reservation = net::PortReservation::take(transport, where);
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  const auto held = std::make_shared<const net::PortReservation>(std::move(*reservation));
  taken_.emplace(name_of(held->address()), held);
  return ReservedAddress{.address = held->address(), .hold = held};
}

Result<ReservedAddress> PortReservations::take(tunnel::VisitorProtocol protocol, const Address& where) {
  switch (protocol) {
    case tunnel::VisitorProtocol::tcp:
      return take(Kind::tcp, where);
    case tunnel::VisitorProtocol::udp:
      return take(Kind::udp, where);
    case tunnel::VisitorProtocol::both:
      break;
  }
  // With port 0, a port that is free for TCP may be in use for UDP.
  constexpr int kAttempts = 16;
  Result<ReservedAddress> taken;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    taken = take_both(where);
    if (taken || where.port() != 0) break;
  }
  return taken;
}

Result<ReservedAddress> PortReservations::take_both(const Address& where) {
  auto tcp = take(Kind::tcp, where);
  if (!tcp) return tcp;
  auto udp = take(Kind::udp, tcp->address);
  if (!udp) return udp;
  using Both = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
  return ReservedAddress{.address = tcp->address,
                         .hold = std::make_shared<Both>(std::move(tcp->hold), std::move(udp->hold))};
}

}  // namespace qmux::app

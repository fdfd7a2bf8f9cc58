// SPDX-License-Identifier: MIT
#include "app/run/port_reservations.h"

#include <utility>

namespace qmux::app {
namespace {

std::string name_of(net::Transport transport, const Address& address) {
  return (transport == net::Transport::tcp ? "tcp " : "udp ") + address.text();
}

}  // namespace

Result<ReservedAddress> PortReservations::take(net::Transport transport, const Address& where) {
  std::erase_if(taken_, [](const auto& each) { return each.second.expired(); });
  if (const auto found = taken_.find(name_of(transport, where)); found != taken_.end()) {
    return ReservedAddress{.address = where, .hold = found->second.lock()};
  }
  auto reservation = net::PortReservation::take(transport, where);
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  const auto held = std::make_shared<const net::PortReservation>(std::move(*reservation));
  taken_.emplace(name_of(transport, held->address()), held);
  return ReservedAddress{.address = held->address(), .hold = held};
}

Result<ReservedAddress> PortReservations::take(tunnel::VisitorProtocol protocol, const Address& where) {
  switch (protocol) {
    case tunnel::VisitorProtocol::tcp:
      return take(net::Transport::tcp, where);
    case tunnel::VisitorProtocol::udp:
      return take(net::Transport::udp, where);
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
  auto tcp = take(net::Transport::tcp, where);
  if (!tcp) return tcp;
  auto udp = take(net::Transport::udp, tcp->address);
  if (!udp) return udp;
  using Both = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
  return ReservedAddress{.address = tcp->address,
                         .hold = std::make_shared<Both>(std::move(tcp->hold), std::move(udp->hold))};
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// The ports that this process has reserved (net::PortReservation). A port that a listener gives up may be wanted by another one
// while the first still has its sockets open, so what is in use is shared. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "net/port_reservation.h"
#include "tunnel/options.h"

namespace qmux::app {

/// An address with its actual port, reserved as long as `hold` lives.
struct ReservedAddress {
  Address address;
  std::shared_ptr<const void> hold;
};

class PortReservations {
 public:
  /// For clients. Port 0 takes a free one.
  [[nodiscard]] Result<ReservedAddress> take_quic(const Address& where);
  /// For visitors: one port in all their protocols. Likewise.
  [[nodiscard]] Result<ReservedAddress> take(tunnel::VisitorProtocol protocol, const Address& where);

 private:
  /// What shares a port is of one kind: packets of visitors must not come to a socket for clients.
  enum class Kind : std::uint8_t { quic, tcp, udp };
  [[nodiscard]] Result<ReservedAddress> take(Kind kind, const Address& where);
  [[nodiscard]] Result<ReservedAddress> take_both(const Address& where);

  std::map<std::string, std::weak_ptr<const net::PortReservation>> taken_;  ///< by kind and address
};

}  // namespace qmux::app

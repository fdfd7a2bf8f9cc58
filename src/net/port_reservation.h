// SPDX-License-Identifier: MIT
//
// SO_REUSEPORT lets a second process share a port silently. A reservation first checks that no other socket has the port. While
// it lives, other qmux processes cannot take the port.
#pragma once

#include "base/address.h"
#include "base/result.h"
#include "net/file_descriptor.h"

namespace qmux::net {

enum class Transport : std::uint8_t { tcp, udp };

/// A value. Take one per address before any worker opens its sockets there with a shared port. Destroy it after those sockets.
class PortReservation {
 public:
  /// Port 0 takes a free one. Fails when the address is in use, whether shared or not, or is not this
  /// machine's.
  [[nodiscard]] static Result<PortReservation> take(Transport transport, const Address& local);

  /// With the actual port.
  [[nodiscard]] const Address& address() const noexcept { return address_; }

 private:
  PortReservation(const Address& address, FileDescriptor lock) noexcept : address_(address), lock_(std::move(lock)) {}

  Address address_;
  FileDescriptor lock_;  ///< a Unix socket whose abstract name (unix(7)) is the address; it ends with the process
};

}  // namespace qmux::net

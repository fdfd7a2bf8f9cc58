// SPDX-License-Identifier: MIT
//
// Steers each QUIC packet to the worker that its connection ID names, among the sockets that share a port.
#pragma once

#include <cstddef>

namespace qmux::net {

/// Attaches to the whole SO_REUSEPORT group of `fd` a classic-BPF filter: the first byte of the Destination
/// Connection ID (RFC 9000 section 17: byte 6 of a long header, byte 1 of a short one) modulo `sockets` picks
/// the socket, counted in the order of binding. While fewer sockets are bound, and for a packet that is too short, the kernel
/// spreads by address or takes the first socket. False where the kernel refuses (errno says why).
bool steer_by_connection_id(int fd, std::size_t sockets) noexcept;

}  // namespace qmux::net

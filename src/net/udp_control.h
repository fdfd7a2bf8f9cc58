// SPDX-License-Identifier: MIT
//
// The control messages (cmsg(3)) beside UDP packets: segment size, ECN, local address, overflow.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address.h"
#include "base/io/datagram_socket.h"

namespace qmux::net {

/// Room for all control messages of one packet run.
struct alignas(cmsghdr) ControlBuffer {
  std::array<std::byte, 128> bytes;
};

/// The values to send beside a run.
struct SendControl {
  std::size_t segment_bytes = 0;  ///< 0: the run is one packet
  io::Ecn ecn = io::Ecn::not_ect;
  Address local;  ///< source address; unspecified: the kernel's choice
};

/// Fills `buffer` and points `message` at it. `remote` decides between IPv4 and IPv6.
void write_control(msghdr& message, ControlBuffer& buffer, const SendControl& control, const Address& remote) noexcept;

/// Reads what came beside a run: sets `segment_bytes`, `ecn`, the host of `local`, and `overflow_count` (of the
/// socket, SO_RXQ_OVFL, wraps around), each only where it is present.
void read_control(msghdr& message, io::PacketRun& run, std::uint32_t& overflow_count) noexcept;

}  // namespace qmux::net

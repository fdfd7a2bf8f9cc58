// SPDX-License-Identifier: MIT
//
// A UDP socket that moves packets in batches: runs of equal-sized packets between the same two addresses go and come in one
// piece (UDP_SEGMENT, UDP_GRO). net/ implements it over the kernel, tests/sim over a virtual network.
//
// Nothing blocks; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/bytes.h"

namespace qmux::io {

/// ECN field of the IP header (RFC 3168), as the two bits stand there.
enum class Ecn : std::uint8_t { not_ect = 0, ect_1 = 1, ect_0 = 2, ce = 3 };

/// Packets of `segment_bytes` each, the last one possibly shorter, in one run of bytes.
struct PacketRun {
  Address local;  ///< received: the address it was sent to. To be sent: the source to use, or unspecified.
  Address remote;
  ConstBytes bytes;
  std::size_t segment_bytes = 0;
  Ecn ecn = Ecn::not_ect;
};

enum class SendStatus : std::uint8_t {
  sent,         ///< taken by the kernel; a packet refused for good (no route, prohibited) counts as sent and lost
  would_block,  ///< no room; the observer is told when to offer the same run, in the same place, again
  too_large,    ///< the packets are larger than the path's first link takes (EMSGSIZE): lost
};

class DatagramSocket {
 public:
  class Observer {
   public:
    /// Packets are waiting: call receive() until it gives nothing. Told again for every new arrival after that.
    virtual void datagrams_readable() = 0;
    /// After would_block: room again.
    virtual void datagrams_writable() = 0;

   protected:
    ~Observer() = default;
  };

  virtual ~DatagramSocket() = default;

  /// Takes what has arrived, at most one system call's worth, and returns how many runs of `out` were filled in (0: nothing
  /// is there). The bytes stay valid until the next call.
  virtual std::size_t receive(std::span<PacketRun> out) = 0;
  /// Sends all packets of the run, at most 64 of them and 65,507 bytes in all.
  virtual SendStatus send(const PacketRun& run) = 0;

  /// The bound address; 0.0.0.0 or :: when bound to all.
  [[nodiscard]] virtual Address local_address() const = 0;
};

}  // namespace qmux::io

// SPDX-License-Identifier: MIT
//
// A UDP socket that moves packets in batches: a run of equal-sized packets between the same two addresses is sent or received in
// one piece (UDP_SEGMENT, UDP_GRO). net/ implements it over the kernel, tests/sim over a virtual network.
//
// Nothing blocks; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/bytes.h"

namespace qmux::io {

/// ECN field of the IP header (RFC 3168), with the values of its two bits.
enum class Ecn : std::uint8_t { not_ect = 0, ect_1 = 1, ect_0 = 2, ce = 3 };

/// Why packets did not reach the remote address, from ICMP or because this machine did not send them. An ICMP message proves
/// nothing: it is a hint.
enum class Unreachable : std::uint8_t {
  none,
  port,        ///< no program has the port
  host,        ///< the host does not answer on its network, or the way to it is broken
  network,     ///< no route
  prohibited,  ///< a filter, here or on the way
};

/// Packets of `segment_bytes` each, the last one possibly shorter, in one run of bytes. An empty run is one empty packet.
struct PacketRun {
  Address local;  ///< received: the address it was sent to. To be sent: the source to use, or unspecified.
  Address remote;
  ConstBytes bytes;
  std::size_t segment_bytes = 0;  ///< at least 1; ignored when an empty run is sent
  Ecn ecn = Ecn::not_ect;

  /// At least one.
  [[nodiscard]] std::size_t packet_count() const noexcept {
    return bytes.size() <= segment_bytes ? 1 : (bytes.size() - 1) / segment_bytes + 1;
  }
  /// `index` < packet_count()
  [[nodiscard]] ConstBytes packet(std::size_t index) const noexcept {
    const ConstBytes rest = bytes.subspan(index * segment_bytes);
    return rest.first(std::min(segment_bytes, rest.size()));
  }
};

enum class SendStatus : std::uint8_t {
  sent,         ///< taken by the kernel; a packet refused permanently (no route, prohibited) counts as sent and lost
  would_block,  ///< no room; after datagrams_writable() offer the same run, in the same place, again
  too_large,    ///< the packets are larger than the first link's MTU (EMSGSIZE): lost
};

class DatagramSocket {
 public:
  class Events {
   public:
    /// Packets are waiting: call receive() until it returns 0. Called again for every new arrival after that, and when a
    /// connected socket has become unreachable().
    virtual void datagrams_readable() = 0;
    /// After would_block: there is room again.
    virtual void datagrams_writable() = 0;

   protected:
    ~Events() = default;
  };

  virtual ~DatagramSocket() = default;

  /// Receives with at most one system call and returns how many runs of `out` were filled in (0: no packet is waiting). The bytes
  /// stay valid until the next receive() of any socket of this loop, because these sockets share the memory.
  virtual std::size_t receive(std::span<PacketRun> out) = 0;
  /// Sends all packets of the run, at most 64 of them and 65,507 bytes in all. A connected socket ignores `remote`.
  virtual SendStatus send(const PacketRun& run) = 0;
  /// Sends any number of such runs, each to its own peer, and never waits. A packet for which there is no room now, or that is
  /// refused (no route, prohibited, too large), is lost; the others are sent. Returns how many were lost.
  virtual std::size_t send_all(std::span<const PacketRun> runs) = 0;

  /// For a connected socket: the latest reason, since the last call, why packets did not arrive. The socket stays usable: a peer
  /// that is unreachable now may become reachable again.
  [[nodiscard]] virtual Unreachable unreachable() noexcept = 0;
  /// Packets lost so far because the receive buffer was full, as known when the last packet was received.
  [[nodiscard]] virtual std::uint64_t overflowed() const noexcept = 0;
  /// Packets that the kernel has refused permanently since the last call, of those that send() reported as sent.
  [[nodiscard]] virtual std::uint64_t take_refused() noexcept = 0;

  /// The bound address; 0.0.0.0 or :: when bound to all.
  [[nodiscard]] virtual Address local_address() const = 0;
};

}  // namespace qmux::io

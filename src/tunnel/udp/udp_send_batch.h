// SPDX-License-Identifier: MIT
//
// Payloads for visitors' or the local service's sockets, collected during a pass so that the kernel gets many in one call. Those
// that the kernel does not take at once are dropped and counted, as UDP allows.
//
// One a worker; one thread; outlives the sockets' users.
#pragma once

#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "base/io/datagram_socket.h"
#include "quic/packet_batch.h"
#include "tunnel/udp/udp_counters.h"

namespace qmux::tunnel {

class UdpSendBatch {
 public:
  explicit UdpSendBatch(UdpCounters& counters) noexcept : counters_(counters) {}
  UdpSendBatch(const UdpSendBatch&) = delete;
  UdpSendBatch& operator=(const UdpSendBatch&) = delete;

  /// Adds a copy of the payload, which lies in these pieces. `local`: the source to use, where the socket is bound to all
  /// addresses.
  void add(io::DatagramSocket& socket, const Address& local, const Address& remote,
           std::span<const ConstBytes> payload);
  /// At the end of a pass.
  void flush();
  /// The socket is about to be destroyed.
  void forget(const io::DatagramSocket& socket);

 private:
  UdpCounters& counters_;
  io::DatagramSocket* socket_ = nullptr;  ///< of everything in the batch
  quic::PacketBatch batch_;
  std::size_t payloads_ = 0;
};

}  // namespace qmux::tunnel

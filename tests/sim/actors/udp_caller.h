// SPDX-License-Identifier: MIT
//
// A visitor by UDP: plays its script from a socket of its own and checks every payload that arrives.
//
// One loop, one thread. The ledger outlives it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/io/datagram_socket.h"
#include "base/timer_queue.h"
#include "sim/actors/udp_ledger.h"
#include "sim/world/loop.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class World;

class UdpCaller final : private io::DatagramSocket::Events {
 public:
  /// Begins at once, towards `listener`. Its pauses of `session_time_min` and more are recorded.
  UdpCaller(World& world, SimLoop& loop, UdpLedger& ledger, UdpVisitorRecord& visitor, const Address& listener,
            Duration session_time_min);

  /// It has sent all that its script says.
  [[nodiscard]] bool over() const noexcept { return sent_ >= visitor_.script.payloads; }
  /// From now on it sends probes until a local service has received a payload of its.
  void probe_until_answered();
  [[nodiscard]] bool awaits_answer() const noexcept;

 private:
  void datagrams_readable() override;
  void datagrams_writable() override {}

  void go_on();
  void send(std::size_t bytes);

  World& world_;
  SimLoop& loop_;
  UdpLedger& ledger_;
  UdpVisitorRecord& visitor_;
  const Address listener_;
  const Duration session_time_min_;
  SeededRandom random_;
  std::unique_ptr<io::DatagramSocket> socket_;
  std::uint32_t sent_ = 0;
  Time last_sent_{};
  bool probing_ = false;
  std::uint64_t delivered_before_ = 0;
  Timer next_;
};

}  // namespace qmux::sim

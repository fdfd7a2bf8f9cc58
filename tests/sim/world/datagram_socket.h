// SPDX-License-Identifier: MIT
//
// A bound UDP port on a host: a bounded receive buffer, and runs of equal-sized packets put together as GRO does.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/io/datagram_socket.h"
#include "base/timer_queue.h"
#include "sim/world/packet.h"
#include "sim/world/ready.h"
#include "sim/world/seeded_random.h"

namespace qmux::io {
struct DatagramOptions;
}

namespace qmux::sim {

class Host;

class SimDatagramSocket final : public io::DatagramSocket, private ReadySource {
 public:
  /// What the last receive() of any socket of a loop gave out.
  using Lent = std::vector<std::vector<std::byte>>;

  /// `local` was claimed at the host. `lent` is the loop's.
  SimDatagramSocket(ReadyQueue& ready, Lent& lent, Host& host, const Address& local, const io::DatagramOptions& options,
                    io::DatagramSocket::Events& events);
  ~SimDatagramSocket() override;

  std::size_t receive(std::span<io::PacketRun> out) override;
  io::SendStatus send(const io::PacketRun& run) override;
  std::size_t send_all(std::span<const io::PacketRun> runs) override;
  [[nodiscard]] io::Unreachable unreachable() noexcept override {
    return std::exchange(unreachable_, io::Unreachable::none);
  }
  [[nodiscard]] std::uint64_t overflowed() const noexcept override { return overflowed_; }
  [[nodiscard]] std::uint64_t take_refused() noexcept override { return 0; }
  [[nodiscard]] Address local_address() const override { return local_; }

  [[nodiscard]] const Address& remote_address() const noexcept { return remote_; }
  [[nodiscard]] bool shares_port() const noexcept { return shared_port_; }
  /// io::DatagramOptions::steered_among.
  [[nodiscard]] std::size_t steered_among() const noexcept { return steered_among_; }
  void arrive(Packet&& packet);
  /// The host that it is connected to reports that no socket has the port.
  void refuse();

 private:
  struct Ready {
    enum : unsigned { readable, writable };
  };
  void ready(unsigned kind) override;
  io::PacketRun take_run();
  /// Sometimes there is no room, for a while.
  bool run_out_of_room();
  /// One packet of the run.
  io::SendStatus send_packet(const io::PacketRun& run, std::size_t index);
  [[nodiscard]] Address source_for(const io::PacketRun& run, const Address& destination) const;

  Lent& lent_;
  Host& host_;
  const Address local_;
  const Address remote_;
  const bool shared_port_;
  const std::size_t steered_among_;
  const std::size_t buffer_bytes_;
  const bool fragmentable_;
  io::DatagramSocket::Events& events_;
  SeededRandom random_;
  std::deque<Packet> received_;
  std::size_t received_bytes_ = 0;
  std::uint64_t overflowed_ = 0;
  io::Unreachable unreachable_ = io::Unreachable::none;
  Timer unblock_;
  bool blocked_ = false;
  ConstBytes interrupted_run_;
  std::size_t interrupted_at_ = 0;  ///< packets of it that were sent before there was no room
};

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// io::DatagramSocket over the kernel: recvmmsg with receive offload, sendmmsg with segmentation offload. Where
// the device behind a route cannot segment, it sends packet by packet from then on.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/io/event_loop.h"
#include "net/reactor.h"
#include "net/udp_inbox.h"
#include "net/udp_outbox.h"

namespace qmux::net {

class UdpSocket final : public io::DatagramSocket, Reactor::Events {
 public:
  /// `inbox` is the loop's.
  [[nodiscard]] static Result<std::unique_ptr<io::DatagramSocket>> open(Reactor& reactor, UdpInbox& inbox,
                                                                        const io::DatagramOptions& options,
                                                                        io::DatagramSocket::Events& events);

  std::size_t receive(std::span<io::PacketRun> out) override;
  io::SendStatus send(const io::PacketRun& run) override;
  std::size_t send_all(std::span<const io::PacketRun> runs) override;
  [[nodiscard]] io::Unreachable unreachable() noexcept override {
    return std::exchange(unreachable_, io::Unreachable::none);
  }
  [[nodiscard]] std::uint64_t overflowed() const noexcept override { return overflowed_; }
  [[nodiscard]] std::uint64_t take_refused() noexcept override { return std::exchange(refused_, 0); }
  [[nodiscard]] Address local_address() const override { return local_; }

 private:
  UdpSocket(Reactor& reactor, UdpInbox& inbox, io::DatagramSocket::Events& events);
  void ready(Readiness readiness) override;
  /// Sends from `at` on until nothing is left (0), or until the kernel refuses the message there (errno).
  int send_from(RunCursor& at);
  void note(int error) noexcept;

  Descriptor descriptor_;
  UdpInbox& inbox_;
  io::DatagramSocket::Events& events_;
  Address local_;
  Address remote_;        ///< connected to; unspecified when not
  bool drained_ = false;  ///< the kernel had no more at the last look
  bool segmentation_ = true;
  io::Unreachable unreachable_ = io::Unreachable::none;
  std::uint32_t overflow_count_ = 0;  ///< as last reported by the kernel
  std::uint64_t overflowed_ = 0;
  std::uint64_t refused_ = 0;
  /// When packets are sent one by one, a run may have been sent in part when the kernel's buffer became full. That part is not
  /// sent again.
  struct {
    ConstBytes run;
    std::size_t packets_done = 0;
  } interrupted_;
};

}  // namespace qmux::net

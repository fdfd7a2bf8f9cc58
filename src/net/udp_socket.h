// SPDX-License-Identifier: MIT
//
// io::DatagramSocket over the kernel: recvmmsg with receive offload, sendmsg with segmentation offload, each
// a batch. Where the device behind a route cannot segment, it sends packet by packet from then on.
#pragma once

#include <memory>

#include "base/io/event_loop.h"
#include "net/file_descriptor.h"
#include "net/reactor.h"

namespace qmux::net {

class UdpSocket final : public io::DatagramSocket, Reactor::Owner {
 public:
  [[nodiscard]] static Result<std::unique_ptr<io::DatagramSocket>> open(Reactor& reactor,
                                                                        const io::DatagramOptions& options,
                                                                        Observer& observer);
  ~UdpSocket() override;

  std::size_t receive(std::span<io::PacketRun> out) override;
  io::SendStatus send(const io::PacketRun& run) override;
  [[nodiscard]] Address local_address() const override { return local_; }

 private:
  struct Inbox;

  UdpSocket(Reactor& reactor, Observer& observer);
  void ready(Readiness readiness) override;
  io::SendStatus send_one_by_one(const io::PacketRun& run);
  io::SendStatus failed(int error);

  Descriptor descriptor_;
  Observer& observer_;
  Address local_;
  Address remote_;                ///< connected to; unspecified when not
  std::unique_ptr<Inbox> inbox_;  ///< made at the first arrival
  bool drained_ = false;          ///< the kernel had no more at the last look
  bool segmentation_ = true;
  /// Sending packet by packet, a run may have gone in part when the kernel's buffer was full: the part is not
  /// sent again.
  struct {
    ConstBytes run;
    std::size_t sent_bytes = 0;
  } interrupted_;
};

}  // namespace qmux::net

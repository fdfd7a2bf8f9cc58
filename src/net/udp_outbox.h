// SPDX-License-Identifier: MIT
//
// Packet runs on their way into the kernel: as messages of one sendmmsg(2). Each message is a whole run that the kernel cuts into
// packets (UDP_SEGMENT), or a single packet where the kernel cannot.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <span>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "net/udp_control.h"

namespace qmux::net {

/// A position in a sequence of runs that advances message by message.
class RunCursor {
 public:
  /// Without `segmentation` every packet is a message.
  RunCursor(std::span<const io::PacketRun> runs, bool segmentation) noexcept : rest_(runs), whole_runs_(segmentation) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] const io::PacketRun& run() const noexcept { return rest_.front(); }
  /// Of this message.
  [[nodiscard]] ConstBytes bytes() const noexcept;
  [[nodiscard]] std::size_t packet_count() const noexcept;
  /// Packets from here to the end.
  [[nodiscard]] std::size_t packets_left() const noexcept;

  void next() noexcept;
  /// Packets of this run already sent; resume() returns to that position.
  [[nodiscard]] std::size_t packets_done() const noexcept { return packet_; }
  void resume(std::size_t packets_done) noexcept;
  /// The rest of this run is sent packet by packet.
  void split_run() noexcept { split_ = true; }
  /// Likewise this run and all that follow.
  void split_all() noexcept { whole_runs_ = false; }

 private:
  [[nodiscard]] bool whole() const noexcept { return whole_runs_ && !split_; }

  std::span<const io::PacketRun> rest_;
  std::size_t packet_ = 0;  ///< of the first run
  bool whole_runs_;
  bool split_ = false;  ///< the first run
};

/// The messages of one call. Points into itself.
class UdpOutbox {
 public:
  static constexpr std::size_t kMessagesMax = 64;

  /// For a socket with these addresses; `remote` is unspecified when it is not connected.
  UdpOutbox(const Address& local, const Address& remote) noexcept
      : local_varies_(local.is_wildcard()), remote_(remote) {}
  UdpOutbox(const UdpOutbox&) = delete;
  UdpOutbox& operator=(const UdpOutbox&) = delete;

  /// Replaces the messages with those at `at`, as many as there is room for.
  void fill(RunCursor at) noexcept;
  [[nodiscard]] std::span<mmsghdr> messages() noexcept { return std::span(messages_).first(count_); }

 private:
  void add(const io::PacketRun& run, ConstBytes bytes) noexcept;

  const bool local_varies_;
  const Address& remote_;
  std::size_t count_ = 0;
  std::array<mmsghdr, kMessagesMax> messages_;
  std::array<iovec, kMessagesMax> vectors_;
  std::array<ControlBuffer, kMessagesMax> controls_;
};

}  // namespace qmux::net

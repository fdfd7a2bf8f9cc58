// SPDX-License-Identifier: MIT
//
// Packets on their way to the socket: runs of equal-sized packets for one path each, one after another in one buffer.
// Filled by a connection, emptied by its endpoint; what the socket does not take now stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/io/datagram_socket.h"

namespace qmux::quic {

class PacketBatch {
 public:
  /// Largest UDP payload (RFC 768 with RFC 791).
  static constexpr std::size_t kPacketBytesMax = 65507;
  static constexpr std::size_t kRunBytesMax = 65400;  ///< beyond that Linux segments in software
  static constexpr std::size_t kRunPacketsMax = 64;

  PacketBatch();

  /// Memory for the next packet, at least kPacketBytesMax; empty when the batch is full.
  [[nodiscard]] MutableBytes room() noexcept;
  /// The first `bytes` of room() are a packet for that path; there are packets of no bytes.
  void add(const Address& local, const Address& remote, std::size_t bytes, io::Ecn ecn);

  [[nodiscard]] bool empty() const noexcept { return first_ == runs_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return used_; }
  /// All runs not taken yet.
  [[nodiscard]] std::span<const io::PacketRun> runs() const noexcept { return std::span(runs_).subspan(first_); }
  /// The first run not taken yet, of a batch that is not empty.
  [[nodiscard]] const io::PacketRun& front() const noexcept { return runs_[first_]; }
  void pop_front() noexcept;
  void clear() noexcept;

 private:
  static constexpr std::size_t kCapacityBytes = std::size_t{64} * 1024 + kPacketBytesMax;

  std::unique_ptr<std::byte[]> buffer_;
  std::size_t used_ = 0;
  std::vector<io::PacketRun> runs_;
  std::size_t first_ = 0;
  std::size_t last_run_packets_ = 0;
  bool last_run_open_ = false;  ///< takes another packet: the last one was of full size
};

}  // namespace qmux::quic

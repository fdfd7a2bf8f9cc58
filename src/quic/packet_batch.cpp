// SPDX-License-Identifier: MIT
#include "quic/packet_batch.h"

#include "base/check.h"

namespace qmux::quic {

PacketBatch::PacketBatch() : buffer_(std::make_unique_for_overwrite<std::byte[]>(kCapacityBytes)) {}

MutableBytes PacketBatch::room() noexcept {
  if (kCapacityBytes - used_ < kPacketBytesMax) return {};
  return {buffer_.get() + used_, kPacketBytesMax};
}

void PacketBatch::add(const Address& local, const Address& remote, std::size_t bytes, io::Ecn ecn) {
  CHECK(bytes <= kPacketBytesMax);
  const ConstBytes packet(buffer_.get() + used_, bytes);
  used_ += bytes;
  if (last_run_open_ && first_ < runs_.size()) {
    io::PacketRun& last = runs_.back();
    if (bytes > 0 && bytes <= last.segment_bytes && last.bytes.size() + bytes <= kRunBytesMax && last.ecn == ecn &&
        last.remote == remote && last.local == local) {
      last.bytes = ConstBytes(last.bytes.data(), last.bytes.size() + bytes);
      last_run_open_ = bytes == last.segment_bytes && ++last_run_packets_ < kRunPacketsMax;
      return;
    }
  }
  runs_.push_back({.local = local, .remote = remote, .bytes = packet, .segment_bytes = bytes, .ecn = ecn});
  last_run_packets_ = 1;
  last_run_open_ = bytes > 0;
}

void PacketBatch::pop_front() noexcept {
  if (++first_ == runs_.size()) clear();
}

void PacketBatch::clear() noexcept {
  runs_.clear();
  first_ = 0;
  used_ = 0;
}

}  // namespace qmux::quic

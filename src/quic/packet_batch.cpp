// SPDX-License-Identifier: MIT
#include "quic/packet_batch.h"

#include "base/check.h"

namespace qmux::quic {

PacketBatch::PacketBatch() : buffer_(std::make_unique_for_overwrite<std::byte[]>(kCapacityBytes)) {}

MutableBytes PacketBatch::room() noexcept {
  if (kCapacityBytes - used_ < kPacketMaxBytes) return {};
  return {buffer_.get() + used_, kPacketMaxBytes};
}

void PacketBatch::add(const Address& local, const Address& remote, std::size_t bytes, io::Ecn ecn) {
  CHECK(bytes > 0 && bytes <= kPacketMaxBytes);
  if (!runs_.empty() && first_ < runs_.size()) {
    Run& last = runs_.back();
    if (last.open && bytes <= last.segment_bytes && last.bytes + bytes <= kRunMaxBytes && last.ecn == ecn &&
        last.remote == remote && last.local == local) {
      last.bytes += bytes;
      ++last.packets;
      last.open = bytes == last.segment_bytes && last.packets < kRunMaxPackets;
      used_ += bytes;
      return;
    }
  }
  runs_.push_back({local, remote, used_, bytes, bytes, 1, ecn, true});
  used_ += bytes;
}

io::PacketRun PacketBatch::front() const noexcept {
  const Run& run = runs_[first_];
  return {run.local, run.remote, ConstBytes(buffer_.get() + run.begin, run.bytes), run.segment_bytes, run.ecn};
}

void PacketBatch::pop_front() noexcept {
  if (++first_ < runs_.size()) return;
  runs_.clear();
  first_ = 0;
  used_ = 0;
}

}  // namespace qmux::quic

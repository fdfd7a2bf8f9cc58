// SPDX-License-Identifier: MIT
#include "tunnel/server/udp_parcel.h"

#include <utility>

#include "tunnel/limits.h"

namespace qmux::tunnel {

UdpParcel::UdpParcel() : bytes_(std::make_unique_for_overwrite<std::byte[]>(limits::kUdpParcelBytes)) {}

bool UdpParcel::add(MemberId member, const io::PacketRun& packets) {
  const std::size_t size = packets.bytes.size();
  if (size > limits::kUdpParcelBytes - used_bytes_ || entries_.size() >= limits::kUdpParcelRuns) return false;
  std::byte* const copy = bytes_.get() + used_bytes_;
  copy_bytes(packets.bytes, {copy, size});
  used_bytes_ += size;
  entries_.push_back({.member = member, .packets = packets});
  entries_.back().packets.bytes = ConstBytes(copy, size);
  return true;
}

void UdpParcel::clear() noexcept {
  entries_.clear();
  used_bytes_ = 0;
}

std::unique_ptr<UdpParcel> UdpParcels::take() {
  const std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    auto parcel = std::move(free_.back());
    free_.pop_back();
    return parcel;
  }
  if (made_ == parcels_max_) return nullptr;
  ++made_;
  return std::make_unique<UdpParcel>();
}

void UdpParcels::give_back(std::unique_ptr<UdpParcel> parcel) {
  parcel->clear();
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(parcel));
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// A batch of visitors' packets, from the worker that received them to the one that holds their client.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "tunnel/server/pool.h"

namespace qmux::tunnel {

class UdpParcel {
 public:
  struct Entry {
    MemberId member;        ///< whose visitor sent it
    io::PacketRun packets;  ///< the bytes lie in the parcel
  };

  UdpParcel();

  /// Adds a copy. False: there is no room for it.
  [[nodiscard]] bool add(MemberId member, const io::PacketRun& packets);
  [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }
  void clear() noexcept;

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t used_bytes_ = 0;
  std::vector<Entry> entries_;
};

/// The parcels of a server: a fixed number, which are reused. Any thread. Outlives the workers.
class UdpParcels {
 public:
  explicit UdpParcels(std::size_t parcels_max) : parcels_max_(parcels_max) {}

  /// An empty one. nullptr: all are in use.
  [[nodiscard]] std::unique_ptr<UdpParcel> take();
  void give_back(std::unique_ptr<UdpParcel> parcel);

 private:
  const std::size_t parcels_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<UdpParcel>> free_;
  std::size_t made_ = 0;
};

}  // namespace qmux::tunnel

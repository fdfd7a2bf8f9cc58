// SPDX-License-Identifier: MIT
//
// A larger packet is tried with stream data alone, since that is sent again when the packet is lost, and datagrams are not.
// Where only datagrams travel, the connection's owner is asked for bytes on some stream, the filler. This is when: once a
// limits::kPathMtuFillerInterval, and again at once after a packet was tried.
//
// Owned by a Connection, one thread; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/time.h"
#include "quic/limits.h"

namespace qmux::quic {

class FillerRequest {
 public:
  /// A packet of `bytes` could be tried if there were a filler. True: the owner is to be asked, see take().
  [[nodiscard]] bool want(std::size_t bytes, Time now) noexcept {
    if (now < next_) return false;
    next_ = now + limits::kPathMtuFillerInterval;
    awaited_until_ = now + limits::kPathMtuFillerWait;
    due_bytes_ = bytes;
    return true;
  }
  /// A larger packet was made.
  void packet_tried() noexcept { next_ = awaited_until_ = {}; }
  /// The owner was asked a moment ago: a larger packet is about to be made.
  [[nodiscard]] bool awaited(Time now) const noexcept { return now < awaited_until_; }

  /// The owner is to be asked.
  [[nodiscard]] bool due() const noexcept { return due_bytes_.has_value(); }
  /// For how many bytes; nullopt when it is not to be asked, or was asked already.
  [[nodiscard]] std::optional<std::size_t> take() noexcept { return std::exchange(due_bytes_, std::nullopt); }

 private:
  Time next_{};
  Time awaited_until_{};
  std::optional<std::size_t> due_bytes_;
};

}  // namespace qmux::quic

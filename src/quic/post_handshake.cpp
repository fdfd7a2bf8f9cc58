// SPDX-License-Identifier: MIT
#include "quic/post_handshake.h"

#include <algorithm>

namespace qmux::quic {
namespace {

constexpr std::uint32_t kNewSessionTicket = 4;
constexpr std::uint32_t kHeaderBytes = 4;  ///< one of type, three of length

}  // namespace

bool PostHandshakeMessages::accept_from_server(ConstBytes data) noexcept {
  while (!data.empty()) {
    if (body_bytes_ > 0) {
      const std::size_t dropped = std::min<std::size_t>(body_bytes_, data.size());
      body_bytes_ -= static_cast<std::uint32_t>(dropped);
      data = data.subspan(dropped);
      continue;
    }
    header_ = header_ << 8U | std::to_integer<std::uint32_t>(data[0]);
    data = data.subspan(1);
    if (++header_bytes_ == 1 && header_ != kNewSessionTicket) return false;
    if (header_bytes_ < kHeaderBytes) continue;
    body_bytes_ = header_ & 0xffffffU;
    header_ = header_bytes_ = 0;
  }
  return true;
}

}  // namespace qmux::quic

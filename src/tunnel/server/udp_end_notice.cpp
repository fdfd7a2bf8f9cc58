// SPDX-License-Identifier: MIT
#include "tunnel/server/udp_end_notice.h"

#include <algorithm>
#include <utility>

#include "tunnel/limits.h"
#include "wire/limits.h"

namespace qmux::tunnel {

UdpEndNotice::UdpEndNotice(io::EventLoop& loop, Counter& dropped,
                           std::move_only_function<bool(const std::vector<std::uint32_t>&)> notify)
    : loop_(loop), dropped_(dropped), notify_(std::move(notify)), due_(loop.timers(), [this] { send(); }) {}

void UdpEndNotice::add(std::uint32_t session) {
  if (ended_.size() >= limits::kUdpSessionsPerConnectionMax) {
    ++dropped_;
    return;
  }
  ended_.push_back(session);
  if (!due_.is_set()) due_.set(loop_.now() + limits::kUdpEndNoticeInterval);
}

void UdpEndNotice::send() {
  const std::size_t count = std::min(ended_.size(), limits::kUdpEndNoticeSessionsMax);
  const auto last = ended_.begin() + static_cast<std::ptrdiff_t>(count);
  if (notify_({ended_.begin(), last})) ended_.erase(ended_.begin(), last);
  if (!ended_.empty()) due_.set(loop_.now() + limits::kUdpEndNoticeInterval);
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/control/drain.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

Drain::Drain(io::EventLoop& loop, DrainHost& host)
    : loop_(loop), host_(host), look_(loop.timers(), [this] { look(); }) {}

void Drain::begin(std::string reason, bool peer_understands) {
  if (begun_at_ != kNever) return;
  begun_at_ = loop_.now();
  if (!peer_understands) return;
  reason_ = std::move(reason);
  ask_again_at_ = begun_at_;
  look();
}

bool Drain::peer_said(const wire::GoAway& message) {
  const bool asked_before = asked_;
  // A peer that we have asked and that is not asking itself answers that it is idle.
  if (!message.idle || begun_at_ == kNever) asked_ = true;
  if (message.idle) peer_idle_with_ = message.tunnels;
  look();
  return asked_ && !asked_before;
}

void Drain::tunnel_opened() noexcept {
  ++tunnels_;
  idle_said_ = false;
}

bool Drain::done() const noexcept {
  CHECK(begun_at_ != kNever);
  if (!host_.is_idle()) return false;
  // A live peer acknowledges what it is asked every second.
  return ask_again_at_ == kNever || peer_idle_with_ == tunnels_ ||
         loop_.now() >= std::max(begun_at_, host_.last_heard()) + limits::kDrainSilenceTimeMax;
}

void Drain::look() {
  const Time now = loop_.now();
  if (now >= ask_again_at_) {
    ask_again_at_ = now + limits::kDrainAskInterval;
    host_.send_go_away({.reason = reason_, .idle = idle_said_, .tunnels = idle_said_ ? tunnels_ : 0});
  }
  if (asked_ && !idle_said_ && host_.is_idle()) {
    idle_said_ = true;
    host_.send_go_away({.reason = "idle", .idle = true, .tunnels = tunnels_});
  }
  look_.set(now + limits::kDrainLookInterval);
}

}  // namespace qmux::tunnel

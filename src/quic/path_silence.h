// SPDX-License-Identifier: MIT
//
// Notices that the peer is silent: a packet that it has to acknowledge was sent, and nothing has come for two probe timeouts
// (RFC 9002 section 6.2.1, without backoff). By then a probe was sent as well. A peer that owes nothing may be silent for ever.
//
// The two timeouts run one after the other, the second from the moment at which the first was seen to be over. So when the own
// loop was late, the peer still has a whole one since the packet has left for certain.
//
// Owned by a Connection, one thread; pure: the time and everything else is passed in.
#pragma once

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "quic/limits.h"

namespace qmux::quic {

class PathSilence {
 public:
  /// A packet is sent that the peer has to acknowledge.
  void asked(Time now, Duration pto) noexcept {
    if (asked_) return;
    asked_ = true;
    asked_at_ = now;
    look_at_ = now + wait(pto);
  }
  /// A packet has come that is the peer's without doubt.
  void heard() noexcept { *this = {}; }
  /// To be called when look_at() has passed, after what waits was received.
  void look(Time now, Duration pto) noexcept {
    if (now < look_at_) return;
    silent_ = std::exchange(looked_, true);
    look_at_ = silent_ ? kNever : now + wait(pto);
  }

  /// kNever: there is nothing to look for.
  [[nodiscard]] Time look_at() const noexcept { return look_at_; }
  /// A packet awaits an answer.
  [[nodiscard]] bool is_asked() const noexcept { return asked_; }
  /// When it was sent.
  [[nodiscard]] Time asked_at() const noexcept { return asked_at_; }
  [[nodiscard]] bool is_silent() const noexcept { return silent_; }

 private:
  static Duration wait(Duration pto) noexcept { return std::max<Duration>(pto, limits::kPathSilenceLookMin); }

  Time asked_at_{};
  Time look_at_ = kNever;
  bool asked_ = false;
  bool looked_ = false;  ///< the first timeout is over
  bool silent_ = false;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
#include "tunnel/relay/relay_go_client.h"

#include <utility>

#include "tunnel/limits.h"
#include "wire/limits.h"

namespace qmux::tunnel {

GoClientRules::GoClientRules(io::EventLoop& loop, std::uint64_t conn_id, std::move_only_function<void()> deliver_due,
                             std::move_only_function<void()> fin_due)
    : loop_(loop),
      trailer_(conn_id),
      tail_timer_(loop.timers(),
                  [this, due = std::move(deliver_due)]() mutable {
                    tail_expired_ = true;
                    due();
                  }),
      fin_timer_(loop.timers(), std::move(fin_due)) {}

GoClientRules::Share GoClientRules::share(std::span<const ConstBytes> readable, bool at_fin) {
  using Held = wire::ConnCloseTrailer::Held;
  const auto verdict = trailer_.judge(readable, at_fin);
  if (verdict.held != Held::possible) tail_timer_.cancel();
  switch (verdict.held) {
    case Held::nothing:
    case Held::likely:
      return {.deliver = verdict.deliver};
    case Held::trailer:
      return {.deliver = verdict.deliver, .drop = verdict.hold, .dial_failed = verdict.dial_failed};
    case Held::possible:
      break;
  }
  if (tail_expired_) return {.deliver = verdict.deliver + verdict.hold};
  if (!tail_timer_.is_set() || verdict.hold != tail_bytes_) {
    tail_bytes_ = verdict.hold;
    tail_timer_.set(loop_.now() + limits::kTrailerHoldTimeMax);
  }
  return {.deliver = verdict.deliver};
}

void GoClientRules::heard() {
  tail_expired_ = false;
  if (fin_timer_.is_set()) hold_fin();
}

void GoClientRules::hold_fin() { fin_timer_.set(loop_.now() + limits::kHeldFinSilence); }

}  // namespace qmux::tunnel

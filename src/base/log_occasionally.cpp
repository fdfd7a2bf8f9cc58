// SPDX-License-Identifier: MIT
#include "base/log_occasionally.h"

#include <utility>

namespace qmux::log {

void Occasionally::write(Time now, Level level, std::string_view event, std::span<const Field> fields) {
  if (last_ && now - *last_ < period_) {
    if (left_out_++ == 0) period_over_.set(*last_ + period_);
    return;
  }
  report_left_out();
  last_ = now;
  level_ = level;
  event_ = event;
  log::write(level, event, fields);
}

void Occasionally::report_left_out() {
  if (left_out_ == 0) return;
  period_over_.cancel();
  log::write(level_, "lines left out", {{"event", event_}, {"count", std::exchange(left_out_, 0)}});
}

}  // namespace qmux::log

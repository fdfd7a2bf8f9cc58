// SPDX-License-Identifier: MIT
#include "sim/world/trace.h"

namespace qmux::sim {

void Trace::absorb() {
  const std::string_view line(line_.data(), line_.size());
  hash_ = mix64(hash_ ^ digest(as_bytes(line)));
  ++event_count_;
  if (sink_) sink_(line);
}

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// What must hold of all that visitors by UDP and the local services have sent, once a run is over. UDP may lose; where
// nothing stands in the way it does not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/actors/udp_ledger.h"

namespace qmux::sim {

/// `clean`: nothing of this visitor's may be lost, and he is seen at one socket until a pause of his own.
/// One line for each violation, with those that were objected to in the course of the run.
[[nodiscard]] std::vector<std::string> audit_udp(const UdpLedger& ledger,
                                                 const std::function<bool(const UdpVisitorRecord&)>& clean);

}  // namespace qmux::sim

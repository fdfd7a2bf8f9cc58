// SPDX-License-Identifier: MIT
//
// What must hold of all that visitors by UDP and the local services have sent, once a run is over. UDP may lose payloads;
// on a clean path it does not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/actors/udp_ledger.h"

namespace qmux::sim {

/// `clean`: nothing of this visitor's may be lost, and it has one source address at the local service until it pauses.
/// One line for each violation, including those that were reported in the course of the run.
[[nodiscard]] std::vector<std::string> audit_udp(const UdpLedger& ledger,
                                                 const std::function<bool(const UdpVisitorRecord&)>& clean);

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// What scenarios are put together from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/scenario/plan.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

/// A listener of a server, as a scenario names it.
struct Place {
  std::size_t server = 0;
  std::size_t listener = 0;
};

/// A new listener for TCP at the first server, which goes through without the faults that would end it.
Place add_listener(Plan& plan);
/// A new client of that listener, alone of its name; returns its index.
std::size_t add_client(Plan& plan, const Place& place, const LinkProperties& link);
/// A fast link without losses: what is slow there is the program's doing.
[[nodiscard]] LinkProperties near_link(SeededRandom& random);
/// A new visitor by TCP whose two sides send nothing yet; its record is the ledger's last one.
VisitPlan& add_tcp_visit(Plan& plan, const Place& place, Duration at);
/// ... which asks with some bytes and is answered at once with `bytes`.
VisitPlan& add_download(Plan& plan, const Place& place, Duration at, std::uint64_t bytes);
/// Likewise by UDP: some small questions, each of which is answered at once.
UdpVisitorRecord& add_udp_visit(Plan& plan, const Place& place, Duration at);

/// How many of the visits `first` to `last` - 1 are under way at that time.
[[nodiscard]] std::size_t count_under_way(const Plan& plan, std::size_t first, std::size_t last, Time at);
/// A round trip of a visitor's to the server and on to the local service.
[[nodiscard]] Duration round_trip(const Plan& plan, const LinkProperties& link);

}  // namespace qmux::sim

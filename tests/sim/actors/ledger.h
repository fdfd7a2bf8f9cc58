// SPDX-License-Identifier: MIT
//
// What was planned for every visitor of a run, and what each end of its tunnel did and saw. Both sides' actors share it, and the
// invariants are checked on it.
//
// One thread. Records keep their addresses.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/address.h"
#include "sim/actors/talk.h"

namespace qmux::sim {

struct TunnelRecord {
  std::uint64_t id = 0;  ///< its index in the ledger; what the visitor sends first
  bool silent = false;   ///< the visitor never sends its id: it connects, waits, and ends as its script says
  TalkScript visitor_script;
  TalkScript service_script;
  TalkRecord visitor;
  TalkRecord service;
  std::string served_by;             ///< name of the local service that the visitor reached
  std::uint32_t arrivals_count = 0;  ///< how often it reached one
};

struct Ledger {
  std::uint64_t seed = 0;
  std::deque<TunnelRecord> tunnels{};
  std::uint64_t strangers_count = 0;  ///< connections to local services that ended before an id arrived
  std::uint64_t impostors_count = 0;  ///< connections that sent an id of no visitor
};

/// What a visitor sends first: its id, by which the local service finds its script.
[[nodiscard]] std::string introduction(std::uint64_t id);
/// What a local service that speaks first sends.
inline constexpr std::string_view kBanner = "220 ready\r\n";

}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// What was planned for every visitor of a run and what each end of his tunnel did and saw: the one thing that both sides'
// actors share, and what the invariants are checked on.
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
  std::uint64_t id = 0;  ///< his place in the ledger; what he says first
  bool silent = false;   ///< he never says who he is: connects, waits, and ends as his script says
  TalkScript visitor_script;
  TalkScript service_script;
  TalkRecord visitor;
  TalkRecord service;
  std::string served_by;             ///< name of the local service that he reached
  std::uint32_t arrivals_count = 0;  ///< how often he reached one
};

struct Ledger {
  std::uint64_t seed = 0;
  std::deque<TunnelRecord> tunnels{};
  std::uint64_t strangers_count = 0;  ///< connections to local services that ended before saying who they are
  std::uint64_t impostors_count = 0;  ///< or that said something else
};

/// What a visitor says first: his id, so that a local service knows what to do with him.
[[nodiscard]] std::string introduction(std::uint64_t id);
/// What a local service that speaks first says.
inline constexpr std::string_view kBanner = "220 ready\r\n";

}  // namespace qmux::sim

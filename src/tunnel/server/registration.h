// SPDX-License-Identifier: MIT
//
// What a server makes of a Register (docs/PROTOCOL.md): whether it can work with that client, and by which extensions.
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/messages.h"

namespace qmux::tunnel {

/// Extensions that this server knows how to use.
struct ClientAbilities {
  bool conn_ack = false;
  bool drain = false;
  bool udp = false;       ///< carries UDP ...
  bool frag_seq = false;  ///< ... and tells groups of fragments apart by session and age ...
  bool udp_end = false;   ///< ... and wants to hear of sessions that have ended
  /// A program that names its processes; others are the Go programs, with their habits.
  bool names_instances = false;
};

/// An Error's text is for the client.
[[nodiscard]] Result<ClientAbilities> review(const wire::Register& request);

/// The words of RegisterAck.
[[nodiscard]] std::vector<std::string> words_of(const ClientAbilities& abilities);

}  // namespace qmux::tunnel

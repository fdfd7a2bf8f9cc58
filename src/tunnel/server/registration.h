// SPDX-License-Identifier: MIT
//
// Reviews a Register (docs/PROTOCOL.md): whether the server can serve that client, and with which extensions. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/messages.h"

namespace qmux::tunnel {

/// The extensions of a client that this server uses.
struct ClientAbilities {
  bool conn_ack = false;
  bool drain = false;
  bool udp = false;       ///< carries UDP ...
  bool frag_seq = false;  ///< ... and distinguishes groups of fragments by session and age ...
  bool udp_end = false;   ///< ... and wants to be notified of sessions that have ended
  /// A program that names its processes; the others are Go programs, with their peculiarities.
  bool names_instances = false;
};

/// An Error's text is for the client.
[[nodiscard]] Result<ClientAbilities> review(const wire::Register& request);

/// The words of RegisterAck.
[[nodiscard]] std::vector<std::string> words_of(const ClientAbilities& abilities);

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/server/registration.h"

namespace qmux::tunnel {

Result<ClientAbilities> review(const wire::Register& request) {
  // A later version would announce its additions as capabilities. Another major version means that it cannot.
  if (request.version != "1" && !request.version.starts_with("1.")) {
    return fail("this server supports protocol version " + std::string(wire::kProtocolVersion));
  }
  return ClientAbilities{.conn_ack = request.can(wire::capability::kConnAck),
                         .drain = request.can(wire::capability::kDrain),
                         .udp = request.can(wire::capability::kUdp),
                         .frag_seq = request.can(wire::capability::kFragSeq),
                         .udp_end = request.can(wire::capability::kUdpEnd),
                         .names_instances = !request.instance.empty()};
}

std::vector<std::string> words_of(const ClientAbilities& abilities) {
  std::vector<std::string> words;
  if (abilities.conn_ack) words.emplace_back(wire::capability::kConnAck);
  if (abilities.frag_seq) words.emplace_back(wire::capability::kFragSeq);
  if (abilities.udp_end) words.emplace_back(wire::capability::kUdpEnd);
  if (abilities.drain) words.emplace_back(wire::capability::kDrain);
  return words;
}

}  // namespace qmux::tunnel

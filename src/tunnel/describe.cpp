// SPDX-License-Identifier: MIT
#include "tunnel/describe.h"

namespace qmux::tunnel {
namespace {

std::string_view words(quic::CloseCause::Kind kind) noexcept {
  using Kind = quic::CloseCause::Kind;
  switch (kind) {
    case Kind::local:
      return "closed";
    case Kind::peer_application:
      return "closed by the peer";
    case Kind::peer_transport:
      return "refused by the peer";
    case Kind::protocol_error:
      return "the peer broke the protocol";
    case Kind::idle_timeout:
      return "nothing heard for the idle timeout";
    case Kind::handshake_timeout:
      return "no answer within the handshake timeout";
    case Kind::stateless_reset:
      return "the peer no longer knows the connection";
    case Kind::version:
      return "no common QUIC version";
  }
  return "unknown";
}

}  // namespace

std::string describe(const quic::CloseCause& cause) {
  std::string text(words(cause.kind));
  if (!cause.text.empty()) text.append(": ").append(cause.text);
  return text;
}

std::string_view describe(RelayEnd::Cause cause) noexcept {
  using Cause = RelayEnd::Cause;
  switch (cause) {
    case Cause::complete:
      return "complete";
    case Cause::socket_reset:
      return "socket reset";
    case Cause::peer_reset:
      return "peer reset";
    case Cause::peer_stopped:
      return "peer stopped";
    case Cause::dial_failed:
      return "dial failed";
    case Cause::stuck:
      return "stuck";
    case Cause::protocol_error:
      return "protocol error";
    case Cause::connection_lost:
      return "connection lost";
    case Cause::aborted:
      return "aborted";
  }
  return "unknown";
}

}  // namespace qmux::tunnel

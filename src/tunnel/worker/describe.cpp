// SPDX-License-Identifier: MIT
#include "tunnel/worker/describe.h"

#include <fmt/format.h>

namespace qmux::tunnel {
namespace {

/// "the server", "the server's certificate", ...
struct Words {
  std::string_view they;
  std::string_view their_certificate;
  std::string_view our_certificate;
  std::string_view our_role;
};
constexpr Words kOfServer{"the server", "the server's certificate", "this client's certificate", "client"};
constexpr Words kOfClient{"the client", "the client's certificate", "this server's certificate", "server"};

std::string certificate_words(const quic::CloseCause& cause, const Words& words) {
  if (cause.fault == quic::CertificateFault::missing) return fmt::format("{} sent no certificate", words.they);
  return fmt::format("{} {}", words.their_certificate, cause.text);
}

std::string own_certificate_words(const quic::CloseCause& cause, const Words& words) {
  using Fault = quic::CertificateFault;
  if (cause.fault == Fault::wrong_key_kind) return cause.text;
  if (!cause.text.empty()) {
    // The peer's own text is the most exact. Our own program writes "certificate expired on ...".
    constexpr std::string_view kOurs = "certificate ";
    const std::string_view text = cause.text;
    const bool ours = text.starts_with(kOurs);
    return fmt::format("{} does not accept {}{}{}", words.they, words.our_certificate, ours ? ", which " : ": ",
                       ours ? text.substr(kOurs.size()) : text);
  }
  switch (cause.fault) {
    case Fault::missing:
      return fmt::format("{} requires a {} certificate and received none", words.they, words.our_role);
    case Fault::unknown_issuer:
      return fmt::format("{} does not know the authority of {}", words.they, words.our_certificate);
    case Fault::outdated:
      return fmt::format("{} considers {} expired or not valid yet", words.they, words.our_certificate);
    case Fault::wrong_purpose:
      return fmt::format("{} does not accept {}: wrong purpose or kind", words.they, words.our_certificate);
    case Fault::revoked:
      return fmt::format("{} considers {} revoked", words.they, words.our_certificate);
    default:
      return fmt::format("{} does not accept {}", words.they, words.our_certificate);
  }
}

std::string with_text(std::string words, const std::string& text) {
  if (!text.empty()) words.append(": ").append(text);
  return words;
}

}  // namespace

std::string describe(const quic::CloseCause& cause, Peer peer) {
  using Kind = quic::CloseCause::Kind;
  const Words& words = peer == Peer::server ? kOfServer : kOfClient;
  switch (cause.kind) {
    case Kind::local:
      return with_text("closed", cause.text);
    case Kind::peer_application:
      return with_text(fmt::format("closed by {}", words.they), cause.text);
    case Kind::peer_transport:
      return with_text(fmt::format("{} reports an error", words.they), cause.text);
    case Kind::protocol_error:
      return with_text(fmt::format("{} violated the protocol", words.they), cause.text);
    case Kind::certificate:
      return certificate_words(cause, words);
    case Kind::own_certificate:
      return own_certificate_words(cause, words);
    case Kind::application_protocol:
      return fmt::format("{} uses a protocol other than QMux (ALPN)", words.they);
    case Kind::version:
      return fmt::format("{} does not support QUIC version 1", words.they);
    case Kind::unreachable:
      return std::string(describe(cause.unreachable));
    case Kind::port_closed:
      return fmt::format("nothing comes from {} any more, and no program listens on its UDP port", words.they);
    case Kind::no_answer:
      return fmt::format("no answer from {} within {}", words.they, cause.text);
    case Kind::handshake_timeout:
      return fmt::format("the handshake with {} was not complete within {}", words.they, cause.text);
    case Kind::idle_timeout:
      return fmt::format("nothing received from {} for the idle timeout", words.they);
    case Kind::stateless_reset:
      return fmt::format("{} no longer knows the connection (stateless reset)", words.they);
  }
  return "unknown";
}

std::string_view describe(io::Unreachable why) noexcept {
  switch (why) {
    case io::Unreachable::none:
      break;
    case io::Unreachable::port:
      return "connection refused: no program listens on that UDP port";
    case io::Unreachable::host:
      return "the host cannot be reached";
    case io::Unreachable::network:
      return "no route to the network";
    case io::Unreachable::prohibited:
      return "a firewall rejects the packets";
  }
  return "unknown";
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
    case Cause::taken_back:
      return "taken back";
  }
  return "unknown";
}

}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "tunnel/worker/describe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace qmux::tunnel {
namespace {

using quic::CertificateFault;
using quic::CloseCause;
using Kind = CloseCause::Kind;

struct Expected {
  CloseCause cause;
  std::string of_server;  ///< the text when the peer is a server
  std::string of_client;
};

/// The texts are those that quic::Connection gives.
std::vector<Expected> all_causes() {
  const auto ours = [](CertificateFault fault, const std::string& words = {}) {
    return CloseCause{.kind = Kind::own_certificate, .text = words, .fault = fault};
  };
  const auto unreachable = [](io::Unreachable why) {
    return CloseCause{.kind = Kind::unreachable, .unreachable = why};
  };
  const auto same = [](CloseCause cause, const std::string& text) { return Expected{std::move(cause), text, text}; };
  return {
      same({.kind = Kind::local}, "closed"),
      same({.kind = Kind::local, .text = "no registration in time"}, "closed: no registration in time"),
      {{.kind = Kind::peer_application}, "closed by the server", "closed by the client"},
      {{.kind = Kind::peer_application, .text = "server is stopping"},
       "closed by the server: server is stopping",
       "closed by the client: server is stopping"},
      {{.kind = Kind::peer_transport, .text = "QUIC code 0xa"},
       "the server reports an error: QUIC code 0xa",
       "the client reports an error: QUIC code 0xa"},
      {{.kind = Kind::protocol_error, .text = "QUIC: ERR_PROTO"},
       "the server violated the protocol: QUIC: ERR_PROTO",
       "the client violated the protocol: QUIC: ERR_PROTO"},
      {{.kind = Kind::certificate, .text = "expired on 2026-01-01T00:00:00Z", .fault = CertificateFault::expired},
       "the server's certificate expired on 2026-01-01T00:00:00Z",
       "the client's certificate expired on 2026-01-01T00:00:00Z"},
      {{.kind = Kind::certificate, .fault = CertificateFault::missing},
       "the server sent no certificate",
       "the client sent no certificate"},
      {ours(CertificateFault::expired, "certificate expired on 2026-01-01T00:00:00Z"),
       "the server does not accept this client's certificate, which expired on 2026-01-01T00:00:00Z",
       "the client does not accept this server's certificate, which expired on 2026-01-01T00:00:00Z"},
      {ours(CertificateFault::unknown_issuer, "x509: signed by unknown authority"),
       "the server does not accept this client's certificate: x509: signed by unknown authority",
       "the client does not accept this server's certificate: x509: signed by unknown authority"},
      {ours(CertificateFault::missing), "the server requires a client certificate and received none",
       "the client requires a server certificate and received none"},
      {ours(CertificateFault::unknown_issuer), "the server does not know the authority of this client's certificate",
       "the client does not know the authority of this server's certificate"},
      {ours(CertificateFault::outdated), "the server considers this client's certificate expired or not valid yet",
       "the client considers this server's certificate expired or not valid yet"},
      {ours(CertificateFault::wrong_purpose),
       "the server does not accept this client's certificate: wrong purpose or kind",
       "the client does not accept this server's certificate: wrong purpose or kind"},
      {ours(CertificateFault::revoked), "the server considers this client's certificate revoked",
       "the client considers this server's certificate revoked"},
      {ours(CertificateFault::other), "the server does not accept this client's certificate",
       "the client does not accept this server's certificate"},
      {{.kind = Kind::application_protocol},
       "the server uses a protocol other than QMux (ALPN)",
       "the client uses a protocol other than QMux (ALPN)"},
      {{.kind = Kind::version},
       "the server does not support QUIC version 1",
       "the client does not support QUIC version 1"},
      same(unreachable(io::Unreachable::port), "connection refused: no program listens on that UDP port"),
      same(unreachable(io::Unreachable::host), "the host cannot be reached"),
      same(unreachable(io::Unreachable::network), "no route to the network"),
      same(unreachable(io::Unreachable::prohibited), "a firewall rejects the packets"),
      {{.kind = Kind::port_closed},
       "nothing comes from the server any more, and no program listens on its UDP port",
       "nothing comes from the client any more, and no program listens on its UDP port"},
      {{.kind = Kind::no_answer, .text = "5 s"},
       "no answer from the server within 5 s",
       "no answer from the client within 5 s"},
      {{.kind = Kind::handshake_timeout, .text = "5 s"},
       "the handshake with the server was not complete within 5 s",
       "the handshake with the client was not complete within 5 s"},
      {{.kind = Kind::idle_timeout},
       "nothing received from the server for the idle timeout",
       "nothing received from the client for the idle timeout"},
      {{.kind = Kind::stateless_reset},
       "the server no longer knows the connection (stateless reset)",
       "the client no longer knows the connection (stateless reset)"},
  };
}

/// Words without what surrounds them, short ones left out.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    std::erase_if(word, [](char c) { return c == ',' || c == ':' || c == '(' || c == ')'; });
    if (word.size() > 3) words.push_back(word);
  }
  return words;
}

TEST(Describe, says_every_cause_in_these_words) {
  for (const Expected& each : all_causes()) {
    EXPECT_EQ(describe(each.cause, Peer::server), each.of_server);
    EXPECT_EQ(describe(each.cause, Peer::client), each.of_client);
  }
}

TEST(Describe, the_table_has_every_cause) {
  std::set<Kind> kinds;
  for (const Expected& each : all_causes()) kinds.insert(each.cause.kind);
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(Kind::stateless_reset) + 1);
  EXPECT_EQ(*kinds.rbegin(), Kind::stateless_reset);
}

TEST(Describe, no_cause_says_anything_twice) {
  for (const Expected& each : all_causes()) {
    if (each.cause.kind == Kind::peer_application) continue;  // the text is the peer's
    for (const Peer peer : {Peer::server, Peer::client}) {
      auto words = words_of(describe(each.cause, peer));
      std::ranges::sort(words);
      const auto twice = std::ranges::adjacent_find(words);
      EXPECT_TRUE(twice == words.end()) << *twice << " in: " << describe(each.cause, peer);
    }
  }
}

}  // namespace
}  // namespace qmux::tunnel

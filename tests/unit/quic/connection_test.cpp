// SPDX-License-Identifier: MIT
#include "quic/connection.h"

#include <gtest/gtest.h>

#include "quic/limits.h"
#include "unit/quic/quic_pair.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (char& c : text) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    c = static_cast<char>(state);
  }
  return text;
}

TEST(Connection, establishes_with_proven_peers) {
  QuicPair pair;
  pair.establish();
  EXPECT_EQ(pair.server.peer_name, "QMux test client");
  EXPECT_EQ(pair.client.peer_name, "QMux test server");
  EXPECT_EQ(pair.server.protocol, "qmux/1");
  EXPECT_EQ(pair.client.protocol, "qmux/1");
}

TEST(Connection, carries_both_directions_of_a_stream_each_to_its_own_end) {
  QuicPair pair;
  pair.establish();
  TestStream mine(*pair.client.connection->open_stream());
  const std::string request = pattern(3'000'000);
  mine.send(request, true);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return !pair.server.accepted.empty() && pair.server.accepted[0].ended; }));
  TestStream& theirs = pair.server.accepted[0];
  EXPECT_EQ(theirs.received, request);
  EXPECT_FALSE(mine.ended) << "the other direction is still open";

  const std::string answer = pattern(1'000'000);
  theirs.send(answer, true);
  QuicPair::act(pair.server);
  ASSERT_TRUE(pair.run_until([&] { return mine.ended && mine.done && theirs.done; }));
  EXPECT_EQ(mine.received, answer);
}

TEST(Connection, survives_loss_reordering_and_duplication) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    sim::LinkProperties link;
    link.delay = milliseconds(20);
    link.loss = 0.05;
    link.reordering = 0.05;
    link.duplication = 0.05;
    QuicPair pair(seed, link);
    pair.establish();
    TestStream mine(*pair.client.connection->open_stream());
    const std::string data = pattern(400'000);
    mine.send(data, true);
    QuicPair::act(pair.client);
    ASSERT_TRUE(
        pair.run_until([&] { return !pair.server.accepted.empty() && pair.server.accepted[0].ended; }, seconds(120)))
        << "seed " << seed;
    EXPECT_EQ(pair.server.accepted[0].received, data);
  }
}

TEST(Connection, a_stream_that_none_reads_stops_its_sender_and_no_other) {
  TransportConfig transport;
  transport.initial_stream_window_bytes = 64 * 1024;
  transport.stream_window_bytes_max = 64 * 1024;
  transport.initial_connection_window_bytes = 128 * 1024;
  transport.connection_window_bytes_max = 128 * 1024;
  QuicPair pair(1, {}, transport);
  pair.establish();
  // Three stuck streams hold more than the connection's window together.
  std::deque<TestStream> stuck;
  for (int i = 0; i < 3; ++i) {
    stuck.emplace_back(*pair.client.connection->open_stream()).send(pattern(1'000'000), true);
  }
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.accepted.size() == 3; }));
  for (TestStream& stream : pair.server.accepted) stream.reading = false;
  for (TestStream& stream : pair.server.accepted) stream.drain();
  pair.world.run_for(seconds(2));
  for (const TestStream& stream : pair.server.accepted) EXPECT_LE(stream.stream->readable_bytes(), 64U * 1024);
  for (const TestStream& stream : stuck) EXPECT_FALSE(stream.to_send.empty()) << "back-pressure reaches the source";

  TestStream lively(*pair.client.connection->open_stream());
  const std::string data = pattern(500'000);
  lively.send(data, true);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.accepted.size() == 4 && pair.server.accepted[3].ended; }));
  EXPECT_EQ(pair.server.accepted[3].received, data);
}

TEST(Connection, what_waits_for_credit_is_little_however_much_the_path_takes) {
  constexpr std::uint64_t kWindow = std::uint64_t{256} * 1024;
  TransportConfig transport;
  transport.initial_stream_window_bytes = kWindow;
  transport.stream_window_bytes_max = kWindow;
  QuicPair pair(1, {}, transport);
  pair.establish();
  // Opens the congestion window far.
  TestStream lively(*pair.client.connection->open_stream());
  lively.send(pattern(20'000'000), true);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return !pair.server.accepted.empty() && pair.server.accepted[0].ended; }));

  std::deque<TestStream> stuck;
  for (int i = 0; i < 20; ++i) {
    stuck.emplace_back(*pair.client.connection->open_stream()).send(pattern(2'000'000), true);
  }
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.accepted.size() == 21; }));
  for (TestStream& stream : pair.server.accepted) stream.reading = false;
  for (TestStream& stream : pair.server.accepted) stream.drain();
  pair.world.run_for(seconds(5));
  for (const TestStream& stream : stuck) {
    EXPECT_LE(stream.stream->unacknowledged_bytes(), limits::kStreamUnsentBlockedBytes);
    EXPECT_FALSE(stream.to_send.empty());
  }
  // And it goes on from there.
  for (TestStream& stream : pair.server.accepted) stream.reading = true;
  for (TestStream& stream : pair.server.accepted) stream.drain();
  QuicPair::act(pair.server);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.accepted[20].ended; }));
}

TEST(Connection, reset_reaches_the_other_side_with_its_code) {
  QuicPair pair;
  pair.establish();
  TestStream mine(*pair.client.connection->open_stream());
  mine.send("hello", false);
  QuicPair::act(pair.client);
  ASSERT_TRUE(
      pair.run_until([&] { return !pair.server.accepted.empty() && pair.server.accepted[0].received == "hello"; }));
  mine.stream->reset(ErrorCode::tcp_reset);
  mine.stream->stop_reading(ErrorCode::tcp_reset);
  QuicPair::act(pair.client);
  TestStream& theirs = pair.server.accepted[0];
  ASSERT_TRUE(pair.run_until([&] { return theirs.reset.has_value(); }));
  EXPECT_EQ(*theirs.reset, 0x11U);
  theirs.send("into the void", false);
  QuicPair::act(pair.server);
  ASSERT_TRUE(pair.run_until([&] { return theirs.stream->send_stopped(); }));
}

TEST(Connection, a_stream_that_is_reset_holds_nothing_any_more) {
  QuicPair pair;
  pair.establish();
  TestStream mine(*pair.client.connection->open_stream());
  mine.send(pattern(300'000), false);
  QuicPair::act(pair.client);
  // Some of it is in flight, some is unsent, and for a while nothing arrives.
  pair.world.world.network().partition(pair.world.a_host, pair.world.b_host, milliseconds(1), seconds(5));
  pair.world.run_for(milliseconds(2));
  EXPECT_GT(pair.client.chunks.in_use_bytes(), 0U);
  mine.stream->reset(ErrorCode::tcp_reset);
  EXPECT_EQ(pair.client.chunks.in_use_bytes(), 0U);
  // What was in flight is acknowledged or lost later, which does no harm to the others.
  TestStream other(*pair.client.connection->open_stream());
  other.send("still here", true);
  QuicPair::act(pair.client);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.accepted.size() == 2 && pair.server.accepted[1].ended; }));
}

TEST(Connection, waits_for_stream_credit_and_is_told_of_it) {
  TransportConfig server_transport;
  server_transport.incoming_streams_max = 2;
  QuicPair pair(1, {}, server_transport);
  pair.establish();
  std::deque<TestStream> mine;
  mine.emplace_back(*pair.client.connection->open_stream()).send("1", true);
  mine.emplace_back(*pair.client.connection->open_stream()).send("2", true);
  EXPECT_EQ(pair.client.connection->open_stream(), nullptr);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.accepted.size() == 2 && pair.server.accepted[1].ended; }));
  EXPECT_EQ(pair.client.credits, 0);
  for (TestStream& stream : pair.server.accepted) stream.send("", true);
  QuicPair::act(pair.server);
  ASSERT_TRUE(pair.run_until([&] { return mine[0].ended && mine[0].done && pair.server.accepted[0].done; }));
  EXPECT_EQ(pair.client.credits, 0) << "the server's owner has not let go of the stream yet";
  pair.server.accepted[0].stream->release();
  QuicPair::act(pair.server);
  ASSERT_TRUE(pair.run_until([&] { return pair.client.credits == 1; }));
  EXPECT_NE(pair.client.connection->open_stream(), nullptr);
}

TEST(Connection, close_tells_the_peer_code_and_reason) {
  QuicPair pair;
  pair.establish();
  pair.client.connection->close(ErrorCode::refused, "no reason at all");
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.cause.has_value() && pair.client.cause.has_value(); }));
  EXPECT_EQ(pair.server.cause->kind, CloseCause::Kind::peer_application);
  EXPECT_EQ(pair.server.cause->code, 1U);
  EXPECT_EQ(pair.server.cause->text, "no reason at all");
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::local);
  ASSERT_TRUE(pair.run_until([&] {
    return pair.server.endpoint->connection_count() == 0 && pair.client.endpoint->connection_count() == 0;
  })) << "both forget the connection after closing and draining";
  EXPECT_EQ(pair.server.chunks.in_use_bytes(), 0U);
}

TEST(Connection, only_what_decrypts_is_a_sign_of_life) {
  QuicPair pair;
  pair.establish();
  TestStream mine(*pair.client.connection->open_stream());
  mine.send("hello", false);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return !pair.server.accepted.empty(); }));
  pair.world.run_for(seconds(1));
  const Time heard = pair.server.connection->last_heard();
  EXPECT_GT(heard, Time{});

  // Each packet gets one wrong bit on its way: like a forged packet with the right connection ID.
  pair.world.a_to_b.properties().corruption = 1;
  const std::uint64_t received = pair.server.endpoint->counters().packets_received;
  mine.send(pattern(30'000), false);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.endpoint->counters().packets_received > received + 20; }));
  EXPECT_EQ(pair.server.connection->last_heard(), heard);

  pair.world.a_to_b.properties().corruption = 0;
  ASSERT_TRUE(pair.run_until([&] { return pair.server.connection->last_heard() > heard; }));
}

TEST(Connection, idle_timeout_ends_it_without_a_word) {
  TransportConfig transport;
  transport.idle_timeout = seconds(3);
  QuicPair pair(1, {}, transport, transport);
  pair.establish();
  ASSERT_TRUE(pair.run_until([&] { return pair.server.cause && pair.client.cause; }));
  EXPECT_EQ(pair.server.cause->kind, CloseCause::Kind::idle_timeout);
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::idle_timeout);
}

TEST(Connection, keep_alive_holds_an_idle_connection) {
  TransportConfig transport;
  transport.idle_timeout = seconds(3);
  transport.keep_alive_period = seconds(1);
  QuicPair pair(1, {}, transport, transport);
  pair.establish();
  pair.world.run_for(seconds(20));
  EXPECT_FALSE(pair.server.cause || pair.client.cause);
}

TEST(Connection, finds_the_largest_packet_that_the_path_takes) {
  for (const std::size_t mtu : {1280U, 1500U, 9000U, 65535U}) {
    sim::LinkProperties link;
    link.delay = milliseconds(2);
    link.mtu_bytes = mtu;
    QuicPair pair(1, link);
    pair.establish();
    TestStream mine(*pair.client.connection->open_stream());
    mine.send(pattern(3'000'000), true);
    QuicPair::act(pair.client);
    ASSERT_TRUE(pair.run_until([&] { return !pair.server.accepted.empty() && pair.server.accepted[0].ended; }));
    const std::size_t largest = mtu == 1280 ? 1232 : mtu == 1500 ? 1452 : mtu == 9000 ? 8952 : 65507;
    EXPECT_TRUE(pair.run_until([&] { return pair.client.connection->packet_bytes() == largest; }))
        << "MTU " << mtu << ": " << pair.client.connection->packet_bytes();
  }
}

// --- servers that are not there ---

TEST(Connection, a_closed_port_ends_an_attempt_long_before_its_timeout) {
  QuicPair pair;
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  pair.reconnect();
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, milliseconds(1500)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::unreachable);
  EXPECT_EQ(pair.client.cause->unreachable, io::Unreachable::port);
}

TEST(Connection, one_refused_packet_ends_nothing) {
  QuicPair pair;
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  pair.reconnect();
  pair.world.run_for(milliseconds(500));  // the first packet has been refused
  EXPECT_FALSE(pair.client.cause);
  ASSERT_TRUE(pair.server.endpoint->listen(pair.server_address, false, pair.server));
  EXPECT_TRUE(pair.run_until([&] { return pair.client.is_established; }, seconds(3)));
  EXPECT_FALSE(pair.client.cause);
}

/// A client that sends a byte every 50 ms, with refusals of its packets that someone makes up.
struct RefusedClient {
  explicit RefusedClient(io::Unreachable why) : reported(why) {
    pair.establish();
    stream = std::make_unique<TestStream>(*pair.client.connection->open_stream());
    timer.set(pair.client.loop.now());
  }
  void tick() {
    if (pair.client.cause) return;
    stream->send("x", false);
    pair.client.connection->unreachable(reported);
    QuicPair::act(pair.client);
    timer.set(pair.client.loop.now() + milliseconds(50));
  }
  bool ends_within(Duration time) {
    return pair.run_until([&] { return pair.client.cause.has_value(); }, time);
  }

  QuicPair pair;
  io::Unreachable reported;
  std::unique_ptr<TestStream> stream;
  Timer timer{pair.client.loop.timers(), [this] { tick(); }};
};

TEST(Connection, a_closed_port_ends_a_connection_after_a_second_of_silence) {
  QuicPair pair;
  pair.establish();
  pair.send_to_closed_port();
  EXPECT_FALSE(pair.run_until([&] { return pair.client.cause.has_value(); }, milliseconds(990)));
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, seconds(1)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::port_closed);
}

TEST(Connection, refusals_end_no_connection_while_packets_arrive) {
  RefusedClient refused(io::Unreachable::port);
  EXPECT_FALSE(refused.ends_within(seconds(20)));
}

TEST(Connection, refusals_end_no_connection_in_an_outage_of_less_than_a_second) {
  RefusedClient refused(io::Unreachable::port);
  for (int i = 0; i < 10; ++i) {
    refused.pair.world.b_host.set_dark(true);
    EXPECT_FALSE(refused.ends_within(milliseconds(800)));
    refused.pair.world.b_host.set_dark(false);
    EXPECT_FALSE(refused.ends_within(seconds(2)));
  }
}

TEST(Connection, only_a_closed_port_ends_a_connection_before_its_timeout) {
  for (const auto why : {io::Unreachable::host, io::Unreachable::network, io::Unreachable::prohibited}) {
    RefusedClient refused(why);
    refused.pair.world.b_host.set_dark(true);
    EXPECT_FALSE(refused.ends_within(seconds(10)));
    refused.pair.world.b_host.set_dark(false);
    EXPECT_FALSE(refused.ends_within(seconds(10)));
  }
}

TEST(Connection, a_server_whose_port_was_closed_for_a_moment_is_found_by_a_reset) {
  QuicPair pair;
  pair.establish();
  pair.send_to_closed_port();
  pair.world.run_for(milliseconds(300));
  Side again(pair.world.b, pair.server_credentials, {});
  ASSERT_TRUE(again.endpoint->listen(pair.server_address, false, again));
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, milliseconds(600)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::stateless_reset);
}

TEST(Connection, silence_ends_an_attempt_at_its_timeout) {
  QuicPair pair;
  pair.world.b_host.set_dark(true);
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  pair.reconnect();
  EXPECT_FALSE(pair.run_until([&] { return pair.client.cause.has_value(); }, milliseconds(4900)));
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, milliseconds(200)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::no_answer);
  EXPECT_EQ(pair.client.cause->text, "5 s");
}

TEST(Connection, a_handshake_that_stops_half_way_is_not_called_silence) {
  QuicPair pair;
  pair.connect();
  ASSERT_TRUE(pair.run_until([&] { return pair.server.connection != nullptr; }));
  pair.world.a_host.set_dark(true);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.cause.has_value(); }));
  EXPECT_EQ(pair.server.cause->kind, CloseCause::Kind::handshake_timeout);
}

// --- who is let in ---

std::optional<CloseCause> cause_for(const std::string& client_certificate, const std::string& trust,
                                    const std::string& server_name, bool at_server,
                                    const std::string& server_certificate = "server") {
  QuicPair pair(1, {}, {}, {}, client_certificate, trust, server_certificate);
  pair.connect(server_name);
  EXPECT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }));
  EXPECT_FALSE(pair.server.is_established);
  return at_server ? pair.server.cause : pair.client.cause;
}

TEST(Connection, refuses_a_client_of_a_foreign_authority) {
  EXPECT_TRUE(cause_for("foreign_client", "ca", "server.test", true));
}
TEST(Connection, tells_a_refused_client_why) {
  const auto none = cause_for("", "ca", "server.test", false);
  const auto unknown = cause_for("foreign_client", "ca", "server.test", false);
  const auto expired = cause_for("expired_client", "ca", "server.test", false);
  ASSERT_TRUE(none && unknown && expired);
  EXPECT_EQ(none->code, 0x100U + 116U) << "certificate_required";
  EXPECT_EQ(unknown->code, 0x100U + 48U) << "unknown_ca";
  EXPECT_EQ(expired->code, 0x100U + 45U) << "certificate_expired";
  EXPECT_EQ(expired->kind, CloseCause::Kind::own_certificate);
  EXPECT_EQ(expired->fault, CertificateFault::outdated);
  EXPECT_TRUE(expired->text.starts_with("certificate expired on ")) << expired->text;
}
TEST(Connection, refuses_an_expired_client) {
  const auto cause = cause_for("expired_client", "ca", "server.test", true);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->kind, CloseCause::Kind::certificate);
  EXPECT_EQ(cause->fault, CertificateFault::expired);
  EXPECT_TRUE(cause->text.starts_with("expired on ")) << cause->text;
}
TEST(Connection, refuses_a_client_without_certificate) {
  const auto cause = cause_for("", "ca", "server.test", true);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->kind, CloseCause::Kind::certificate);
  EXPECT_EQ(cause->fault, CertificateFault::missing);
}
TEST(Connection, refuses_a_server_of_a_foreign_authority) {
  const auto cause = cause_for("client", "foreign_ca", "server.test", false);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->kind, CloseCause::Kind::certificate);
  EXPECT_EQ(cause->fault, CertificateFault::unknown_issuer);
}
TEST(Connection, refuses_a_server_of_another_name) {
  const auto cause = cause_for("client", "ca", "other.test", false);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->kind, CloseCause::Kind::certificate);
  EXPECT_EQ(cause->fault, CertificateFault::wrong_name);
  EXPECT_EQ(cause->text,
            "does not name \"other.test\" in its subjectAltName, but server.test, qmux-server, 127.0.0.1, ::1");
}
TEST(Connection, refuses_a_server_named_by_its_common_name_alone) {
  const auto cause = cause_for("client", "nameless_server", "server.test", false, "nameless_server");
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->text, "names no host in its subjectAltName, so not \"server.test\"");
  EXPECT_EQ(cause->code, 0x100U + 42U) << "bad_certificate";
}
TEST(Connection, verifies_an_ip_literal_as_such) {
  QuicPair pair;
  pair.connect("127.0.0.1");
  EXPECT_TRUE(pair.run_until([&] { return pair.server.is_established; }));
}

}  // namespace
}  // namespace qmux::quic

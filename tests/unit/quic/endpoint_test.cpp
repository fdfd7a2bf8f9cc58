// SPDX-License-Identifier: MIT
#include "quic/endpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quic/connection_id.h"
#include "quic/limits.h"
#include "unit/quic/quic_pair.h"

namespace qmux::quic {
namespace {

using std::chrono::seconds;

/// A plain UDP socket of the client's host, for packets that no QUIC client would send.
class RawSender final : public io::DatagramSocket::Events {
 public:
  explicit RawSender(QuicPair& pair) : pair_(pair) {
    socket_ = *pair.world.a.open_datagram({.local = Address::any(AF_INET, 0), .remote = {}}, *this);
  }
  void send(ConstBytes packet) {
    static_cast<void>(socket_->send({{}, pair_.server_address, packet, packet.size(), io::Ecn::not_ect}));
  }
  void datagrams_readable() override {
    std::array<io::PacketRun, 4> runs;
    while (const std::size_t count = socket_->receive(runs)) {
      for (const auto& run : std::span(runs).first(count)) {
        for (ConstBytes rest = run.bytes; !rest.empty();
             rest = rest.subspan(std::min(run.segment_bytes, rest.size()))) {
          const ConstBytes packet = rest.first(std::min(run.segment_bytes, rest.size()));
          replies.emplace_back(packet.begin(), packet.end());
        }
      }
    }
  }
  void datagrams_writable() override {}

  std::vector<std::vector<std::byte>> replies;

 private:
  QuicPair& pair_;
  std::unique_ptr<io::DatagramSocket> socket_;
};

std::vector<std::byte> long_header_packet(std::uint32_t version, std::size_t bytes) {
  std::vector<std::byte> packet(bytes, std::byte{0x5a});
  packet[0] = std::byte{0xc0};
  write_be(std::span(packet).subspan(1), version);
  packet[5] = std::byte{8};   // destination ID
  packet[14] = std::byte{8};  // source ID
  return packet;
}

/// An Initial without a token that begins a connection, and does not decrypt.
std::vector<std::byte> garbage_initial(std::uint64_t id) {
  std::vector<std::byte> packet = long_header_packet(NGTCP2_PROTO_VER_V1, 1200);
  write_be(std::span(packet).subspan(6), id);
  packet[23] = std::byte{0};  // length of the token
  write_be(std::span(packet).subspan(24), std::uint16_t{0x4000 + 1174});
  return packet;
}

TEST(Endpoint, answers_an_unknown_version_with_those_it_speaks) {
  QuicPair pair;
  pair.connect();
  RawSender raw(pair);
  raw.send(long_header_packet(0xfaceb00c, 1200));
  ASSERT_TRUE(pair.run_until([&] { return !raw.replies.empty(); }));
  const auto& reply = raw.replies[0];
  EXPECT_EQ(read_be<std::uint32_t>(std::span(reply).subspan(1)), 0U) << "a Version Negotiation packet";
  EXPECT_EQ(read_be<std::uint32_t>(std::span(reply).subspan(6 + 8 + 1 + 8)), NGTCP2_PROTO_VER_V1);
  EXPECT_EQ(pair.server.endpoint->counters().version_negotiations_sent, 1U);
}

TEST(Endpoint, answers_no_version_negotiation_packet) {
  QuicPair pair;
  pair.connect();
  RawSender raw(pair);
  raw.send(long_header_packet(0, 1200));
  pair.world.run_for(seconds(1));
  EXPECT_TRUE(raw.replies.empty());
}

TEST(Endpoint, never_answers_a_short_packet_with_version_negotiation) {
  QuicPair pair;
  pair.connect();
  RawSender raw(pair);
  raw.send(long_header_packet(0xfaceb00c, 300));
  pair.world.run_for(seconds(1));
  EXPECT_TRUE(raw.replies.empty());
}

TEST(Endpoint, drops_garbage_and_goes_on) {
  QuicPair pair;
  pair.connect();
  RawSender raw(pair);
  sim::SeededRandom random(7, "garbage");
  for (int i = 0; i < 500; ++i) {
    std::vector<std::byte> packet(1 + random.below(1400));
    random.fill(packet);
    raw.send(packet);
    std::vector<std::byte> initial = long_header_packet(NGTCP2_PROTO_VER_V1, 1200);
    random.fill(std::span(initial).subspan(24));
    raw.send(initial);
  }
  ASSERT_TRUE(pair.run_until([&] { return pair.server.is_established; })) << "a real client still gets in";
}

TEST(Endpoint, counts_the_packets_that_its_socket_could_not_hold) {
  QuicPair pair;
  pair.connect();
  pair.world.run_for(seconds(1));
  const EndpointCounters before = pair.server.endpoint->counters();
  EXPECT_EQ(before.packets_overflowed, 0U);
  RawSender raw(pair);
  constexpr std::uint64_t kPackets = 10'000;
  const std::vector<std::byte> packet(1400);
  for (std::uint64_t i = 0; i < kPackets; ++i) raw.send(packet);
  pair.world.run_for(seconds(1));
  const EndpointCounters& counters = pair.server.endpoint->counters();
  EXPECT_GT(counters.packets_overflowed, 1000U);
  EXPECT_EQ(counters.packets_received - before.packets_received + counters.packets_overflowed, kPackets);
}

TEST(Endpoint, counts_the_answers_for_which_its_socket_has_no_room) {
  QuicPair pair;
  pair.connect();
  pair.world.run_for(seconds(1));
  pair.world.b_host.set_send_block_chance(1);
  RawSender raw(pair);
  raw.send(long_header_packet(0xfaceb00c, 1200));
  pair.world.run_for(seconds(1));
  EXPECT_TRUE(raw.replies.empty());
  EXPECT_EQ(pair.server.endpoint->counters().replies_dropped, 1U);
}

/// Many clients on one loop.
class Crowd final : public io::EventLoop::PassEvents, public ConnectionEvents {
 public:
  Crowd(QuicPair& pair, std::size_t count, ConstBytes token = {}) : Crowd(pair, pair.world.a_host, count, token) {}
  Crowd(QuicPair& pair, sim::Host& host, std::size_t count, ConstBytes token = {}) : loop_(host, "crowd") {
    loop_.set_pass_events(this);
    for (std::size_t i = 0; i < count; ++i) {
      endpoints_.push_back(std::make_unique<Endpoint>(
          loop_, chunks_, EndpointOptions{TransportConfig{}, pair.client_credentials, WorkerIndex{}}));
      EXPECT_TRUE(endpoints_.back()->connect(pair.server_address, "server.test", token, *this));
    }
    loop_.request_pass();
  }
  ~Crowd() { loop_.set_pass_events(nullptr); }
  void end_of_pass(Time now) override {
    for (const auto& endpoint : endpoints_) {
      while (endpoint->deliver_events()) {
      }
      endpoint->flush(now);
    }
  }
  void established(Connection&) override { ++established_count; }
  void stream_opened(Connection&, Stream&) override {}
  void stream_credit(Connection&) override {}
  void closed(Connection&, const CloseCause&) override {}

  std::size_t established_count = 0;

 private:
  sim::SimLoop loop_;
  ChunkPool chunks_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
};

TEST(Endpoint, asks_clients_to_prove_their_address_when_handshakes_pile_up) {
  QuicPair pair;
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  ASSERT_TRUE(pair.server.endpoint->listen(pair.server_address, false, pair.server));
  // Nothing that the server says arrives: every handshake stays in flight.
  pair.world.world.network().block(pair.world.b_host, pair.world.a_host, Duration{}, seconds(2));
  Crowd crowd(pair, limits::kHandshakesBeforeRetry);
  ASSERT_TRUE(pair.run_until(
      [&] { return pair.server.endpoint->counters().handshakes_begun == limits::kHandshakesBeforeRetry; }));
  EXPECT_EQ(pair.server.endpoint->counters().retries_sent, 0U);
  pair.world.run_for(seconds(2));

  pair.reconnect();
  ASSERT_TRUE(pair.run_until([&] { return pair.client.is_established; }));
  EXPECT_GE(pair.server.endpoint->counters().retries_sent, 1U);
  EXPECT_TRUE(pair.run_until([&] { return crowd.established_count > 0; })) << "the others get in as well";
}

TEST(Endpoint, asks_clients_to_prove_their_address_when_many_have_just_been_refused) {
  QuicPair pair;
  pair.connect();
  ASSERT_TRUE(pair.run_until([&] { return pair.server.is_established; }));
  RawSender raw(pair);
  for (std::size_t i = 0; i < 4 * limits::kHandshakesBeforeRetry; ++i) {
    raw.send(garbage_initial(i));
  }
  pair.world.run_for(std::chrono::milliseconds(500));
  EXPECT_EQ(pair.server.load.unproven(), 1U) << "none of them is kept";
  const EndpointCounters& counters = pair.server.endpoint->counters();
  EXPECT_LE(counters.handshakes_begun, limits::kHandshakesBeforeRetry + 32);
  EXPECT_GE(counters.retries_sent, 2 * limits::kHandshakesBeforeRetry);
  EXPECT_EQ(raw.replies.size(), counters.retries_sent);
}

TEST(Endpoint, keeps_of_a_refused_connection_only_what_answers_its_client) {
  QuicPair pair(1, {}, {}, {}, "foreign_client", "ca");
  // The server's last word is lost. The client finds out by sending again.
  pair.world.world.network().block(pair.world.b_host, pair.world.a_host, std::chrono::milliseconds(12),
                                   std::chrono::milliseconds(30));
  pair.connect();
  ASSERT_TRUE(pair.run_until([&] { return pair.server.cause.has_value(); }));
  pair.world.run_for(std::chrono::milliseconds(1));
  EXPECT_EQ(pair.server.load.unproven(), 0U);
  EXPECT_EQ(pair.server.endpoint->connection_count(), 1U) << "its memory is gone, its place is not";
  EXPECT_FALSE(pair.client.cause);
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, seconds(4)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::own_certificate);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.endpoint->connection_count() == 0; }));
}

/// How long it takes until all clients are back that a restart of the server has lost, while strangers send garbage.
Duration time_until_all_are_back(QuicPair& pair, std::size_t clients, bool with_tokens) {
  pair.server.admits = true;
  pair.establish();
  EXPECT_TRUE(pair.run_until([&] { return !pair.client.endpoint->server_token().empty(); }));
  const std::vector<std::byte> token = with_tokens ? pair.client.endpoint->server_token() : std::vector<std::byte>();
  pair.restart_server();
  RawSender raw(pair);
  for (std::uint64_t i = 0; i < 500; ++i) raw.send(garbage_initial(i));
  const Time begin = pair.world.b.now();
  Crowd crowd(pair, clients, token);
  EXPECT_TRUE(pair.run_until([&] { return crowd.established_count == clients; })) << crowd.established_count;
  return pair.world.b.now() - begin;
}

TEST(Endpoint, lets_all_its_clients_in_soon_after_a_restart) {
  QuicPair pair;
  EXPECT_LT(time_until_all_are_back(pair, 300, true), seconds(2));
  EXPECT_EQ(pair.server.endpoint->counters().handshakes_begun, limits::kHandshakesBeforeRetry + 300)
      << "as many strangers as may without a Retry, and each client once";
}

TEST(Endpoint, lets_unknown_clients_in_soon_as_well) {
  QuicPair pair;
  EXPECT_LT(time_until_all_are_back(pair, 300, false), seconds(2));
  EXPECT_GT(pair.server.endpoint->counters().retries_sent, 0U);
}

TEST(Endpoint, makes_room_for_a_source_that_has_none) {
  QuicPair pair;
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  ASSERT_TRUE(pair.server.endpoint->listen(pair.server_address, false, pair.server));
  // Clients that never register, from ever more addresses, until there is no room.
  std::deque<Crowd> crowds;
  for (int i = 0; pair.server.load.room(Standing::unknown) > 0; ++i) {
    ASSERT_LT(i, 20);
    crowds.emplace_back(pair, pair.world.world.network().add_host("stranger" + std::to_string(i)),
                        static_cast<std::size_t>(std::max(1, 100 >> i)));
    pair.world.run_for(seconds(1));
  }
  EXPECT_EQ(pair.server.admission.counters().evicted, 0U);
  Crowd newcomer(pair, 1);
  EXPECT_TRUE(pair.run_until([&] { return newcomer.established_count == 1; }, seconds(1)));
  EXPECT_EQ(pair.server.admission.counters().evicted, 1U);
}

/// Clients whose first packets arrive, and nothing after them.
class SilentCrowd {
 public:
  SilentCrowd(QuicPair& pair, std::size_t count) : host_(pair.world.world.network().add_host("stranger")) {
    pair.server_address = pair.world.b_host.address(AF_INET, 4433);
    EXPECT_TRUE(pair.server.endpoint->listen(pair.server_address, false, pair.server));
    // The server's answer comes after 10 ms.
    pair.world.world.network().block(host_, pair.world.b_host, std::chrono::milliseconds(8), seconds(60));
    crowd_.emplace(pair, host_, count);
  }

 private:
  sim::Host& host_;
  std::optional<Crowd> crowd_;
};

TEST(Endpoint, ends_silent_handshakes_before_their_time_while_strangers_crowd) {
  QuicPair pair;
  const SilentCrowd strangers(pair, limits::kHandshakesBeforeRetry);
  pair.world.run_for(limits::kSilentHandshakeTimeMax);
  EXPECT_EQ(pair.server.load.unproven(), limits::kHandshakesBeforeRetry);
  pair.world.run_for(std::chrono::milliseconds(100) + limits::kSilenceLookInterval);
  EXPECT_EQ(pair.server.load.unproven(), 0U);
  EXPECT_EQ(pair.server.endpoint->connection_count(), 0U) << "nothing remains of them";
  EXPECT_EQ(pair.server.admission.counters().silent, limits::kHandshakesBeforeRetry);
}

TEST(Endpoint, leaves_silent_handshakes_their_time_while_there_are_few) {
  QuicPair pair;
  const SilentCrowd strangers(pair, limits::kHandshakesBeforeRetry - 1);
  pair.world.run_for(seconds(4));
  EXPECT_EQ(pair.server.load.unproven(), limits::kHandshakesBeforeRetry - 1);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.load.unproven() == 0; }, seconds(2)));
  EXPECT_EQ(pair.server.admission.counters().silent, 0U);
}

TEST(Endpoint, lets_a_client_in_over_a_slow_and_lossy_path_while_strangers_crowd) {
  TransportConfig transport;
  transport.handshake_timeout = seconds(15);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    QuicPair pair(seed, {.delay = std::chrono::milliseconds(500), .loss = 0.1}, transport, transport);
    const SilentCrowd strangers(pair, limits::kHandshakesBeforeRetry);
    pair.reconnect();
    EXPECT_TRUE(pair.run_until([&] { return pair.client.is_established; }, seconds(15))) << "seed " << seed;
    pair.world.run_for(seconds(3));
    EXPECT_FALSE(pair.client.cause) << "seed " << seed;
    EXPECT_EQ(pair.server.admission.counters().silent, limits::kHandshakesBeforeRetry) << "seed " << seed;
  }
}

TEST(Endpoint, takes_little_memory_for_an_honest_handshake) {
  QuicPair pair;
  pair.establish();
  EXPECT_LT(pair.server.connection->library_bytes(), limits::kHandshakeLibraryBytesMax / 2);
  EXPECT_EQ(pair.server.endpoint->counters().handshakes_oversize, 0U);
}

TEST(Endpoint, gives_a_client_a_token_for_its_next_visit) {
  QuicPair pair;
  pair.establish();
  ASSERT_TRUE(pair.run_until([&] { return !pair.client.endpoint->server_token().empty(); }));
}

TEST(Endpoint, resets_connections_that_a_crash_has_lost) {
  QuicPair pair;
  pair.establish();
  pair.world.run_for(seconds(1));
  pair.restart_server();
  TestStream mine(*pair.client.connection->open_stream());
  mine.send("anybody there? a packet must be long enough to be answered with a reset", false);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, seconds(5)))
      << pair.server.endpoint->counters().packets_received << " packets arrived, "
      << pair.server.endpoint->counters().stateless_resets_sent << " were answered with a reset";
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::stateless_reset);
  EXPECT_EQ(pair.server.endpoint->counters().stateless_resets_sent, 1U);
}

TEST(Endpoint, resets_an_idle_connection_by_its_next_ping) {
  QuicPair pair;
  pair.establish();
  pair.client.connection->set_keep_alive(seconds(1));
  pair.world.run_for(seconds(5));
  pair.restart_server();
  ASSERT_TRUE(pair.run_until([&] { return pair.client.cause.has_value(); }, std::chrono::milliseconds(1500)));
  EXPECT_EQ(pair.client.cause->kind, CloseCause::Kind::stateless_reset);
}

TEST(Endpoint, sends_only_so_many_stateless_resets) {
  QuicPair pair;
  pair.connect();
  RawSender raw(pair);
  std::vector<std::byte> packet(100, std::byte{0x42});
  for (std::uint64_t i = 0; i < 3 * limits::kStatelessResetsPerSecond; ++i) raw.send(packet);
  pair.world.run_for(std::chrono::milliseconds(500));
  EXPECT_LE(raw.replies.size(), limits::kStatelessResetsPerSecond);
  ASSERT_FALSE(raw.replies.empty());
  EXPECT_LT(raw.replies[0].size(), packet.size()) << "two endpoints cannot answer each other for ever";
}

TEST(Endpoint, follows_a_client_whose_nat_forgets_it) {
  QuicPair pair;
  sim::Nat& nat = pair.world.world.network().add_nat("nat");
  pair.world.a_host.put_behind(nat);
  pair.establish();
  TestStream mine(*pair.client.connection->open_stream());
  mine.send(std::string(2'000'000, 'x'), true);
  QuicPair::act(pair.client);
  ASSERT_TRUE(pair.run_until(
      [&] { return !pair.server.accepted.empty() && pair.server.accepted[0].received.size() > 100'000; }));
  const Address before = pair.server.connection->remote_address();
  nat.rebind();
  ASSERT_TRUE(pair.run_until([&] { return pair.server.accepted[0].ended; }));
  EXPECT_EQ(pair.server.accepted[0].received.size(), 2'000'000U);
  EXPECT_FALSE(pair.server.connection->remote_address() == before);
  EXPECT_FALSE(pair.server.cause);
}

TEST(Endpoint, hands_a_packet_of_another_worker_over) {
  QuicPair pair;
  pair.server_address = pair.world.b_host.address(AF_INET, 4433);
  pair.server.endpoint = std::make_unique<Endpoint>(
      pair.server.loop, pair.server.chunks,
      EndpointOptions{TransportConfig{}, pair.server_credentials, WorkerIndex{1, 2}, &pair.server.admission});
  ASSERT_TRUE(pair.server.endpoint->listen(pair.server_address, false, pair.server));
  RawSender raw(pair);
  std::vector<std::byte> packet(100, std::byte{0x42});
  packet[1] = std::byte{4};  // an ID of worker 0 of 2
  raw.send(packet);
  ASSERT_TRUE(pair.run_until([&] { return pair.server.handed_over == 1; }));
  packet[1] = std::byte{5};
  raw.send(packet);
  ASSERT_TRUE(pair.run_until([&] { return !raw.replies.empty(); })) << "its own unknown ID is answered with a reset";
}

}  // namespace
}  // namespace qmux::quic

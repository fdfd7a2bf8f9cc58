// SPDX-License-Identifier: MIT
#include "sim/world/link.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "sim/pair.h"
#include "sim/world/datagram_socket.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

/// A UDP socket that remembers what comes.
class Port final : public io::DatagramSocket::Observer {
 public:
  explicit Port(io::EventLoop& loop, const io::DatagramOptions& options) : loop_(loop) {
    auto opened = loop.open_datagram(options, *this);
    if (opened) socket = std::move(*opened);
  }

  void datagrams_readable() override {
    std::array<io::PacketRun, 8> runs;
    for (std::size_t count = 0; (count = socket->receive(runs)) > 0;) {
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        for (std::size_t at = 0; at < run.bytes.size(); at += run.segment_bytes) {
          const ConstBytes segment = run.bytes.subspan(at, std::min(run.segment_bytes, run.bytes.size() - at));
          got.emplace_back(as_text(segment));
          times.push_back(loop_.now());
        }
        last = run;
      }
    }
  }
  void datagrams_writable() override { ++writable_count; }

  io::SendStatus send(const Address& to, std::string_view text, std::size_t segment = 0,
                      io::Ecn ecn = io::Ecn::not_ect) {
    return socket->send({.local = {},
                         .remote = to,
                         .bytes = as_bytes(text),
                         .segment_bytes = segment == 0 ? text.size() : segment,
                         .ecn = ecn});
  }

  std::unique_ptr<io::DatagramSocket> socket;
  std::vector<std::string> got;
  std::vector<Time> times;
  io::PacketRun last;
  int writable_count = 0;

 private:
  io::EventLoop& loop_;
};

io::DatagramOptions bound(const Address& local) { return {.local = local, .remote = {}}; }
io::DatagramOptions shared(const Address& local, std::size_t steered_among) {
  return {.local = local, .remote = {}, .shared_port = true, .steered_among = steered_among};
}

struct Ends : Pair {
  explicit Ends(const LinkProperties& properties = {}, std::uint64_t seed = 1) : Pair(seed, properties) {}
  Port near{a, bound(a_host.v4(100))};
  Port far{b, bound(b_host.v4(200))};
};

TEST(Link, delivers_after_its_delay) {
  Ends ends({.delay = 7ms});
  const Time sent = ends.world.now();
  ends.near.send(ends.b_host.v4(200), "hello");
  ASSERT_TRUE(ends.run_until([&] { return !ends.far.got.empty(); }));
  EXPECT_EQ(ends.far.got.front(), "hello");
  EXPECT_GE(ends.far.times.front() - sent, 7ms);
  EXPECT_LE(ends.far.times.front() - sent, 7ms + 50us);
  EXPECT_EQ(ends.far.last.remote, ends.a_host.v4(100));
  EXPECT_EQ(ends.far.last.local, ends.b_host.v4(200));
}

TEST(Link, spaces_packets_by_its_rate) {
  // 972 + 28 bytes at 8 Mbit/s: one millisecond each.
  Ends ends({.delay = 1ms, .rate_bits_per_second = 8'000'000});
  ends.b.set_processing_delay_max({});
  const std::string text(972, 'x');
  const Time sent = ends.world.now();
  for (int i = 0; i < 3; ++i) ends.near.send(ends.b_host.v4(200), text);
  ASSERT_TRUE(ends.run_until([&] { return ends.far.got.size() == 3; }));
  EXPECT_EQ(ends.far.times[0] - sent, 2ms);
  EXPECT_EQ(ends.far.times[1] - sent, 3ms);
  EXPECT_EQ(ends.far.times[2] - sent, 4ms);
}

TEST(Link, drops_what_its_queue_does_not_hold) {
  Ends ends({.rate_bits_per_second = 8'000'000, .queue_bytes = 2500});
  for (int i = 0; i < 10; ++i) ends.near.send(ends.b_host.v4(200), std::string(972, 'x'));
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got.size(), 2U);
  EXPECT_EQ(ends.a_to_b.counters().queue_full, 8U);
}

TEST(Link, keeps_order_under_jitter_and_loses_it_under_reordering) {
  const auto in_order = [](const LinkProperties& properties) {
    Ends ends(properties);
    for (char c = 'a'; c <= 'z'; ++c) ends.near.send(ends.b_host.v4(200), std::string(1, c));
    ends.run_for(1s);
    EXPECT_EQ(ends.far.got.size(), 26U);
    return std::ranges::is_sorted(ends.far.got);
  };
  EXPECT_TRUE(in_order({.jitter = 5ms}));
  EXPECT_FALSE(in_order({.reordering = 0.5}));
}

TEST(Link, loses_and_duplicates_as_often_as_it_is_told) {
  Ends ends({.queue_bytes = 1U << 30U, .loss = 0.3, .duplication = 0.1});
  for (int i = 0; i < 1000; ++i) ends.near.send(ends.b_host.v4(200), "x");
  ends.run_for(1s);
  const Link::Counters& counters = ends.a_to_b.counters();
  EXPECT_NEAR(static_cast<double>(counters.lost), 300, 60);
  EXPECT_NEAR(static_cast<double>(counters.duplicated), 70, 35);
  EXPECT_EQ(ends.far.got.size(), 1000 - counters.lost + counters.duplicated);
}

TEST(Link, corrupts_one_bit) {
  Ends ends({.corruption = 1});
  ends.near.send(ends.b_host.v4(200), std::string(100, '\0'));
  ends.run_for(1s);
  int bits = 0;
  for (const char c : ends.far.got.at(0)) bits += std::popcount(static_cast<unsigned char>(c));
  EXPECT_EQ(bits, 1);
}

TEST(Link, swallows_packets_over_its_mtu_and_the_interface_refuses_them) {
  Ends ends({.mtu_bytes = 1400});
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), std::string(1373, 'x')), io::SendStatus::sent);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), std::string(1372, 'x')), io::SendStatus::sent);
  ends.a_host.set_interface_mtu(1500);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), std::string(1473, 'x')), io::SendStatus::too_large);
  ends.run_for(1s);
  ASSERT_EQ(ends.far.got.size(), 1U);
  EXPECT_EQ(ends.far.got[0].size(), 1372U);
  EXPECT_EQ(ends.a_to_b.counters().too_large, 1U);
}

TEST(Link, is_silent_during_a_partition_and_speaks_after_it) {
  Ends ends({.delay = 1ms});
  ends.world.network().partition(ends.a_host, ends.b_host, 10ms, 30ms);
  const auto send_at = [&](Duration when, std::string text) {
    ends.world.after(when, [&ends, text] { ends.near.send(ends.b_host.v4(200), text); });
  };
  send_at(5ms, "before");
  send_at(20ms, "during");
  send_at(35ms, "after");
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"before", "after"}));
}

TEST(Link, passes_ecn_and_marks_congestion) {
  Ends ends({.rate_bits_per_second = 8'000'000, .congestion_mark_bytes = 1500});
  ends.near.send(ends.b_host.v4(200), "first", 0, io::Ecn::ect_0);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.last.ecn, io::Ecn::ect_0);
  for (int i = 0; i < 4; ++i) ends.near.send(ends.b_host.v4(200), std::string(972, 'x'), 0, io::Ecn::ect_0);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.last.ecn, io::Ecn::ce);
}

TEST(DatagramSocket, sends_a_run_as_segments_and_receives_them_in_order) {
  Ends ends;
  ends.near.send(ends.b_host.v4(200), "aabbccd", 2);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "cc", "d"}));
}

TEST(DatagramSocket, when_blocked_is_told_of_room) {
  Ends ends;
  ends.a_host.set_send_block_chance(1);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::would_block);
  ends.a_host.set_send_block_chance(0);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::would_block);
  ASSERT_TRUE(ends.run_until([&] { return ends.near.writable_count == 1; }));
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::sent);
}

TEST(DatagramSocket, connected_hears_its_peer_alone) {
  Ends ends;
  Port connected(ends.a, {.local = {}, .remote = ends.b_host.v4(200)});
  ASSERT_TRUE(connected.socket);
  EXPECT_TRUE(connected.socket->local_address().same_host(ends.a_host.v4(0)));
  Port stranger(ends.b, bound(ends.b_host.v4(201)));
  stranger.send(connected.socket->local_address(), "no");
  ends.far.send(connected.socket->local_address(), "yes");
  ends.run_for(1s);
  EXPECT_EQ(connected.got, std::vector<std::string>{"yes"});
}

TEST(DatagramSocket, refuses_an_address_in_use_or_of_another_host) {
  Ends ends;
  EXPECT_FALSE(Port(ends.a, bound(ends.a_host.v4(100))).socket);
  EXPECT_FALSE(Port(ends.a, bound(Address::any(AF_INET, 100))).socket);
  EXPECT_FALSE(Port(ends.a, bound(ends.b_host.v4(300))).socket);
  EXPECT_TRUE(Port(ends.a, bound(ends.a_host.v6(100))).socket);
}

TEST(DatagramSocket, sharing_a_port_is_steered_by_connection_id) {
  Ends ends;
  SimLoop second_loop(ends.b_host, "b2");
  Port first(ends.b, shared(ends.b_host.v4(443), 2));
  Port second(second_loop, shared(ends.b_host.v4(443), 2));
  const auto packet = [](bool long_header, char id) {
    std::string text(20, '\0');
    text[0] = static_cast<char>(long_header ? 0xc0 : 0x40);
    text[long_header ? 6 : 1] = id;
    return text;
  };
  for (const bool long_header : {false, true}) {
    ends.near.send(ends.b_host.v4(443), packet(long_header, 4));
    ends.near.send(ends.b_host.v4(443), packet(long_header, 7));
  }
  ends.run_for(1s);
  EXPECT_EQ(first.got, (std::vector<std::string>{packet(false, 4), packet(true, 4)}));
  EXPECT_EQ(second.got, (std::vector<std::string>{packet(false, 7), packet(true, 7)}));
}

TEST(DatagramSocket, sharing_a_port_without_steering_is_picked_by_addresses) {
  Ends ends;
  SimLoop second_loop(ends.b_host, "b2");
  Port first(ends.b, shared(ends.b_host.v4(443), 0));
  Port second(second_loop, shared(ends.b_host.v4(443), 0));
  for (std::uint16_t port = 1000; port < 1050; ++port)
    Port(ends.a, bound(ends.a_host.v4(port))).send(ends.b_host.v4(443), "x");
  ends.run_for(1s);
  EXPECT_EQ(first.got.size() + second.got.size(), 50U);
  EXPECT_GT(first.got.size(), 10U);
  EXPECT_GT(second.got.size(), 10U);
}

TEST(DatagramSocket, out_of_room_in_the_middle_of_a_run_sends_the_rest_later) {
  Ends ends;
  ends.a_host.set_send_block_chance(0.3);
  const std::string run = "aabbccddeeffgghhiij";
  io::SendStatus status = io::SendStatus::would_block;
  int blocked_count = 0;
  while ((status = ends.near.send(ends.b_host.v4(200), run, 2)) == io::SendStatus::would_block) {
    ++blocked_count;
    ends.run_for(1ms);
  }
  EXPECT_GT(blocked_count, 0);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "j"}));
}

TEST(Nat, shows_one_outer_address_and_drops_the_old_one_after_rebinding) {
  Ends ends;
  Nat& nat = ends.world.network().add_nat("nat");
  ends.a_host.put_behind(nat);
  ends.near.send(ends.b_host.v4(200), "one");
  ASSERT_TRUE(ends.run_until([&] { return ends.far.got.size() == 1; }));
  const Address before = ends.far.last.remote;
  EXPECT_TRUE(before.same_host(nat.outer_addresses()[0]));
  ends.far.send(before, "answer");
  ASSERT_TRUE(ends.run_until([&] { return ends.near.got.size() == 1; }));

  nat.rebind();
  ends.far.send(before, "lost");
  ends.near.send(ends.b_host.v4(200), "two");
  ends.run_for(1s);
  EXPECT_EQ(ends.near.got.size(), 1U);
  EXPECT_EQ(nat.dropped_count(), 1U);
  ASSERT_EQ(ends.far.got.size(), 2U);
  EXPECT_NE(ends.far.last.remote, before);
  ends.far.send(ends.far.last.remote, "found again");
  EXPECT_TRUE(ends.run_until([&] { return ends.near.got.size() == 2; }));
}

TEST(Nat, hides_inside_addresses) {
  Ends ends;
  ends.a_host.put_behind(ends.world.network().add_nat("nat"));
  ends.far.send(ends.a_host.v4(100), "direct");
  ends.run_for(1s);
  EXPECT_TRUE(ends.near.got.empty());
}

TEST(Host, when_dark_neither_sends_nor_receives) {
  Ends ends;
  ends.b_host.set_dark(true);
  ends.near.send(ends.b_host.v4(200), "in");
  ends.far.send(ends.a_host.v4(100), "out");
  ends.run_for(1s);
  EXPECT_TRUE(ends.far.got.empty());
  EXPECT_TRUE(ends.near.got.empty());
}

}  // namespace
}  // namespace qmux::sim

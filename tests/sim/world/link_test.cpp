// SPDX-License-Identifier: MIT
#include "sim/world/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "sim/world/port.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

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
  ends.b.set_processing_time_max({});
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

TEST(Link, loses_and_duplicates_with_the_given_chances) {
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

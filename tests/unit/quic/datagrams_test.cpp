// SPDX-License-Identifier: MIT
#include "quic/datagrams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "integration/allocation_counter.h"
#include "quic/connection_id.h"
#include "unit/quic/quic_pair.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a packet loses to its header, packet number and tag, with connection IDs of our length.
constexpr std::size_t kOverheadBytes = 1 + kConnectionIdBytes + 4 + 16;

/// One end of a connection's datagrams: sends those in `queue`, then `endless` numbered ones of `bytes`.
class TestDatagrams final : public DatagramHost {
 public:
  explicit TestDatagrams(Side& side) : side_(side) { side.connection->set_datagram_host(this); }

  void send(std::string data) {
    queue.push_back(std::move(data));
    wake();
  }
  void wake() {
    side_.connection->datagrams_waiting();
    QuicPair::act(side_);
  }

  void datagram_received(ConstBytes data) override {
    const std::uint64_t allocations = integration::allocation_count();
    if (received_since_ == side_.loop.now()) allocated_while_receiving += allocations - allocations_;
    received_since_ = side_.loop.now();
    received_bytes += data.size();
    if (keep) {
      received.emplace_back(as_text(data));
    } else if (data.size() >= sizeof(std::uint64_t)) {
      const auto number = read_be<std::uint64_t>(data);
      in_order = in_order && number == next_received_;
      next_received_ = number + 1;
    }
    allocations_ = integration::allocation_count();
  }
  std::optional<OutgoingDatagram> next_datagram(std::size_t room, Time) override {
    ++asked;
    rooms_seen.first = std::min(rooms_seen.first, room);
    rooms_seen.second = std::max(rooms_seen.second, room);
    allocations_ = integration::allocation_count();
    if (!queue.empty()) {
      // In pieces, with empty ones among them.
      const ConstBytes all = as_bytes(queue.front());
      const std::size_t third = all.size() / 3;
      pieces_ = {all.subspan(third, third), ConstBytes(), all.subspan(2 * third)};
      return OutgoingDatagram{all.first(third), pieces_};
    }
    if (endless == 0) return std::nullopt;
    number_.resize(sizeof(std::uint64_t));
    write_be<std::uint64_t>(number_, sent);
    filling_.resize(std::min(bytes, room) - number_.size());
    pieces_ = {ConstBytes(filling_), {}, {}};
    return OutgoingDatagram{number_, pieces_};
  }
  void datagram_sent() override {
    allocated_while_sending += integration::allocation_count() - allocations_;
    ++sent;
    if (!queue.empty()) {
      queue.pop_front();
    } else {
      --endless;
    }
  }
  std::size_t flows_waiting() const override { return flows; }

  std::deque<std::string> queue;
  std::uint64_t endless = 0;
  std::size_t bytes = 1200;
  std::size_t flows = 1;
  bool keep = false;  ///< what is received; else its order is watched

  std::vector<std::string> received;
  std::uint64_t received_bytes = 0;
  bool in_order = true;
  std::uint64_t asked = 0;
  std::uint64_t sent = 0;
  std::pair<std::size_t, std::size_t> rooms_seen{SIZE_MAX, 0};
  std::uint64_t allocated_while_sending = 0;
  std::uint64_t allocated_while_receiving = 0;

 private:
  Side& side_;
  std::vector<std::byte> number_;
  std::vector<std::byte> filling_;
  std::array<ConstBytes, 3> pieces_;
  std::uint64_t next_received_ = 0;
  std::uint64_t allocations_ = 0;
  Time received_since_{};
};

constexpr std::uint64_t kForEver = UINT64_MAX;

sim::LinkProperties link_of(std::size_t mtu_bytes) {
  sim::LinkProperties link;
  link.mtu_bytes = mtu_bytes;
  return link;
}

sim::LinkProperties link_at(std::uint64_t bits_per_second) {
  sim::LinkProperties link;
  link.rate_bits_per_second = bits_per_second;
  return link;
}

std::uint64_t stream_bytes(const Side& side) {
  std::uint64_t bytes = 0;
  for (const TestStream& stream : side.accepted) bytes += stream.received.size();
  return bytes;
}

TEST(Datagrams, of_every_size_up_to_the_room_arrive_whole) {
  struct Path {
    std::size_t mtu;
    std::size_t packet;
    std::size_t length_bytes;
  };
  for (const Path& path : {Path{1500, 1452, 2}, Path{9000, 8952, 2}, Path{65535, 65507, 4}}) {
    QuicPair pair(1, link_of(path.mtu));
    pair.establish();
    ASSERT_TRUE(pair.run_until([&] { return pair.client.connection->packet_bytes() == path.packet; }));
    const std::size_t room = pair.client.connection->datagram_room();
    EXPECT_EQ(room, path.packet - kOverheadBytes - 1 - path.length_bytes);
    TestDatagrams mine(pair.client);
    TestDatagrams theirs(pair.server);
    theirs.keep = true;
    std::vector<std::string> all;
    for (const std::size_t size : {0, 1, 2, 3, 62, 63, 64, 65, 1163, 1164, 1200, 16382, 16383, 16384, 16385}) {
      if (size < room) all.emplace_back(size, static_cast<char>('a' + all.size()));
    }
    for (std::size_t less = 5; less-- > 0;) all.emplace_back(room - less, static_cast<char>('a' + all.size()));
    for (const std::string& data : all) mine.send(data);
    ASSERT_TRUE(pair.run_until([&] { return theirs.received.size() == all.size(); }))
        << theirs.received.size() << " of " << all.size();
    EXPECT_TRUE(theirs.received == all);
    EXPECT_EQ(mine.sent, all.size());
  }
}

TEST(Datagrams, have_no_room_before_the_handshake_is_complete_and_wait_for_it) {
  QuicPair pair;
  pair.connect();
  EXPECT_EQ(pair.client.connection->datagram_room(), 0U);
  TestDatagrams mine(pair.client);
  mine.send("early bird");
  ASSERT_TRUE(pair.run_until([&] { return mine.sent == 1; }));
  EXPECT_TRUE(pair.client.connection->datagram_room() > 1000);
}

TEST(Datagrams, small_ones_share_packets) {
  QuicPair pair;
  pair.establish();
  pair.world.run_for(seconds(1));
  TestDatagrams mine(pair.client);
  TestDatagrams theirs(pair.server);
  mine.bytes = 20;
  const std::uint64_t packets_before = pair.world.a_to_b.counters().sent;
  mine.endless = 1000;
  mine.wake();
  ASSERT_TRUE(pair.run_until([&] { return theirs.received_bytes == 20'000; }));
  EXPECT_TRUE(theirs.in_order);
  EXPECT_LT(pair.world.a_to_b.counters().sent - packets_before, 22U);
}

TEST(Datagrams, neither_lost_nor_reordered_on_a_clean_path_among_streams) {
  for (const std::size_t bytes : {100U, 700U, 1200U, 5000U}) {
    sim::LinkProperties link;
    link.queue_bytes = 100'000'000;
    link.rate_bits_per_second = 100'000'000;
    QuicPair pair(1, link);
    pair.establish();
    ASSERT_TRUE(pair.run_until([&] { return pair.client.connection->packet_bytes() == 1452; }));
    TestDatagrams mine(pair.client);
    TestDatagrams theirs(pair.server);
    Pump stream(*pair.client.connection->open_stream());
    mine.bytes = bytes;
    mine.endless = 5000;
    mine.wake();
    ASSERT_TRUE(pair.run_until([&] { return mine.endless == 0; }));
    pair.world.run_for(seconds(1));
    EXPECT_EQ(theirs.received_bytes, 5000 * std::min<std::size_t>(bytes, 1416));
    EXPECT_TRUE(theirs.in_order);
  }
}

TEST(Datagrams, lost_ones_are_not_sent_again) {
  sim::LinkProperties link;
  link.loss = 0.1;
  QuicPair pair(3, link);
  pair.establish();
  TestDatagrams mine(pair.client);
  TestDatagrams theirs(pair.server);
  theirs.keep = true;
  std::vector<std::string> all;
  all.reserve(3000);
  for (int i = 0; i < 3000; ++i) all.push_back(std::to_string(i) + std::string(1000, 'x'));
  for (const std::string& data : all) mine.send(data);
  ASSERT_TRUE(pair.run_until([&] { return mine.queue.empty(); }, seconds(300)));
  pair.world.run_for(seconds(10));
  EXPECT_EQ(mine.sent, all.size());
  EXPECT_NEAR(static_cast<double>(theirs.received.size()), 2700, 100);
  // Each at most once, and in order.
  EXPECT_TRUE(std::ranges::includes(
      all, theirs.received, {}, [](const auto& s) { return std::stoi(s); },
      [](const auto& s) { return std::stoi(s); }));
}

TEST(Datagrams, are_not_asked_for_while_the_congestion_window_is_full) {
  QuicPair pair(1, link_at(20'000'000));
  pair.establish();
  pair.world.run_for(seconds(1));
  TestDatagrams mine(pair.client);
  pair.world.world.network().block(pair.world.b_host, pair.world.a_host, Duration{},
                                   seconds(20));  // no acknowledgement
  mine.endless = kForEver;
  mine.wake();
  pair.world.run_for(milliseconds(900));
  EXPECT_GT(mine.sent, 10U);
  EXPECT_LT(mine.sent, 500U) << "the window holds no more";
  const std::uint64_t asked = mine.asked;
  const std::uint64_t sent = mine.sent;
  EXPECT_LE(asked, 2 * sent + 10);
  for (int i = 0; i < 10; ++i) {
    mine.wake();
    pair.world.run_for(milliseconds(1));
  }
  EXPECT_EQ(mine.asked, asked);
  EXPECT_EQ(mine.sent, sent);
  pair.world.run_for(seconds(30));
  EXPECT_GT(mine.sent, sent) << "acknowledgements come again";
}

TEST(Datagrams, without_a_user_are_counted_and_do_no_harm) {
  QuicPair pair;
  pair.establish();
  TestDatagrams mine(pair.client);
  for (int i = 0; i < 5; ++i) mine.send("anybody there?");
  ASSERT_TRUE(pair.run_until([&] { return pair.server.endpoint->counters().datagrams_dropped == 5; }));
  pair.server.connection->datagrams_waiting();  // no datagram user: nothing happens
  TestDatagrams theirs(pair.server);
  theirs.keep = true;
  mine.send("now?");
  ASSERT_TRUE(pair.run_until([&] { return theirs.received.size() == 1; }));
  EXPECT_FALSE(pair.server.cause || pair.client.cause);
}

TEST(Datagrams, grow_with_the_path_and_follow_a_client_whose_nat_forgets_it) {
  QuicPair pair;
  pair.world.world.network().set_default_link(link_at(20'000'000));
  sim::Nat& nat = pair.world.world.network().add_nat("nat");
  pair.world.a_host.put_behind(nat);
  pair.establish();
  TestDatagrams mine(pair.client);
  TestDatagrams theirs(pair.server);
  mine.bytes = theirs.bytes = 9999;  // as large as there is room for
  mine.endless = theirs.endless = kForEver;
  mine.wake();
  theirs.wake();
  pair.world.run_for(seconds(1));
  const std::size_t smallest = 1200 - kOverheadBytes - 3;
  EXPECT_EQ(mine.rooms_seen, std::pair(smallest, std::size_t{1416}));
  EXPECT_EQ(theirs.rooms_seen, std::pair(smallest, std::size_t{1416}));
  nat.rebind();
  pair.world.run_for(seconds(1));
  const std::uint64_t received = mine.received_bytes;
  pair.world.run_for(seconds(1));
  EXPECT_GT(mine.received_bytes, received + 500'000);
  EXPECT_FALSE(pair.server.cause || pair.client.cause);
}

/// The part of a busy link that datagrams get.
double share_of_datagrams(std::size_t flows, std::size_t streams, std::size_t datagram_bytes, std::size_t mtu = 1500) {
  sim::LinkProperties link = link_of(mtu);
  link.rate_bits_per_second = 20'000'000;
  QuicPair pair(1, link);
  pair.establish();
  pair.world.run_for(seconds(1));
  TestDatagrams mine(pair.client);
  TestDatagrams theirs(pair.server);
  std::deque<Pump> pumps;
  for (std::size_t i = 0; i < streams; ++i) pumps.emplace_back(*pair.client.connection->open_stream());
  mine.bytes = datagram_bytes;
  mine.flows = flows;
  mine.endless = kForEver;
  mine.wake();
  pair.world.run_for(seconds(3));
  const std::uint64_t datagrams_before = theirs.received_bytes;
  const std::uint64_t streams_before = stream_bytes(pair.server);
  pair.world.run_for(seconds(10));
  const auto by_datagrams = static_cast<double>(theirs.received_bytes - datagrams_before);
  const auto by_streams = static_cast<double>(stream_bytes(pair.server) - streams_before);
  EXPECT_GT((by_datagrams + by_streams) * 8, 0.75 * 10 * 20'000'000) << "the link is used";
  return by_datagrams / (by_datagrams + by_streams);
}

TEST(Datagrams, and_streams_share_a_link_fairly) {
  for (const std::size_t bytes : {200U, 800U, 1200U}) {
    EXPECT_NEAR(share_of_datagrams(1, 1, bytes), 1.0 / 2, 0.2 / 2) << bytes;
    EXPECT_NEAR(share_of_datagrams(3, 1, bytes), 3.0 / 4, 0.2 / 4) << bytes;
    EXPECT_NEAR(share_of_datagrams(1, 8, bytes), 1.0 / 9, 0.2 / 9) << bytes;
  }
}

TEST(Datagrams, go_on_when_the_peer_gives_streams_no_credit) {
  TransportConfig server_transport;
  server_transport.initial_connection_window_bytes = server_transport.connection_window_bytes_max = 16 * 1024;
  sim::LinkProperties link;
  link.delay = milliseconds(50);
  link.rate_bits_per_second = 20'000'000;
  QuicPair pair(1, link, server_transport);
  pair.establish();
  TestDatagrams mine(pair.client);
  TestDatagrams theirs(pair.server);
  Pump pump(*pair.client.connection->open_stream());
  mine.endless = kForEver;
  mine.wake();
  pair.world.run_for(seconds(10));
  EXPECT_GT(stream_bytes(pair.server), 1'000'000U);
  EXPECT_GT(theirs.received_bytes * 8, 100'000'000U);
}

TEST(Datagrams, a_rare_one_waits_for_one_turn_of_a_busy_stream_at_most) {
  QuicPair pair(1, link_at(20'000'000));  // 16 KiB take 6.6 ms
  pair.establish();
  TestDatagrams mine(pair.client);
  Pump pump(*pair.client.connection->open_stream());
  QuicPair::act(pair.client);
  pair.world.run_for(seconds(3));
  for (std::uint64_t i = 1; i <= 50; ++i) {
    mine.send("hello");
    mine.send("world");
    EXPECT_TRUE(pair.run_until([&] { return mine.sent == 2 * i; }, milliseconds(14))) << i;
    pair.world.run_for(milliseconds(i));
  }
}

TEST(Datagrams, allocate_nothing) {
  if (!integration::counts_allocations()) GTEST_SKIP() << "a sanitizer has replaced the allocator";
  for (const std::size_t bytes : {100U, 1200U}) {
    QuicPair pair(1, link_at(50'000'000));
    pair.establish();
    TestDatagrams mine(pair.client);
    TestDatagrams theirs(pair.server);
    mine.bytes = bytes;
    mine.endless = kForEver;
    mine.wake();
    pair.world.run_for(seconds(2));
    const std::uint64_t sent = mine.sent;
    mine.allocated_while_sending = theirs.allocated_while_receiving = 0;
    pair.world.run_for(seconds(1));
    EXPECT_GT(mine.sent - sent, 4000U);
    EXPECT_EQ(mine.allocated_while_sending, 0U);
    EXPECT_EQ(theirs.allocated_while_receiving, 0U);
  }
}

}  // namespace
}  // namespace qmux::quic

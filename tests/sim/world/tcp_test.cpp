// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/pair.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;
using io::Interest;
using io::IoStatus;

/// One end of a connection, and what was reported to it.
class End final : public io::TcpSocketEvents {
 public:
  explicit End(std::unique_ptr<io::TcpSocket> s) : socket(std::move(s)) {}

  void socket_readable() override { ++readable_count; }
  void socket_writable() override { ++writable_count; }
  void socket_reset() override { ++reset_count; }

  std::size_t write(std::size_t count) {
    const std::string text(count, 'x');
    const ConstBytes part = as_bytes(text);
    const io::IoResult result = socket->write({&part, 1});
    return result.status == IoStatus::done ? result.count : 0;
  }
  io::IoResult read(std::size_t room = 1U << 20U) {
    buffer.resize(room);
    const MutableBytes part = buffer;
    return socket->read({&part, 1});
  }
  /// Reads whatever is there and returns how it ended.
  IoStatus drain() {
    for (;;) {
      const io::IoResult result = read();
      if (result.status != IoStatus::done) return result.status;
      drained += result.count;
    }
  }
  void watch(Interest interest) { socket->watch(interest, this); }

  std::unique_ptr<io::TcpSocket> socket;
  std::vector<std::byte> buffer;
  std::size_t drained = 0;
  int readable_count = 0;
  int writable_count = 0;
  int reset_count = 0;
};

struct Connected final : Pair, io::TcpListener::Events {
  explicit Connected(std::uint64_t seed = 1, const TcpProperties& tcp = {}) : Pair(seed) {
    world.network().tcp_properties() = tcp;
    listener = *b.listen_tcp(b_host.v4(80), false, *this);
    near = std::make_unique<End>(*a.connect_tcp(b_host.v4(80)));
    near->watch(Interest::write);
    EXPECT_TRUE(run_until([&] { return far && near->writable_count == 1; }));
    EXPECT_FALSE(near->socket->connect_error());
  }
  void accepted(io::TcpHandle visitor, const Address& remote, const Address& local) override {
    visitor_address = remote;
    local_address = local;
    far = std::make_unique<End>(b.adopt_tcp(std::move(visitor)));
  }

  std::unique_ptr<io::TcpListener> listener;
  std::unique_ptr<End> near;
  std::unique_ptr<End> far;
  Address visitor_address;
  Address local_address;
};

TEST(SimTcp, connects_and_names_both_ends_alike) {
  Connected c;
  EXPECT_EQ(c.near->socket->local_address(), c.visitor_address);
  EXPECT_EQ(c.near->socket->remote_address(), c.b_host.v4(80));
  EXPECT_EQ(c.far->socket->remote_address(), c.visitor_address);
  EXPECT_EQ(c.far->socket->local_address(), c.local_address);
}

TEST(SimTcp, reports_fin_after_a_read_whose_first_part_took_all_bytes) {
  Connected c;
  EXPECT_EQ(c.near->write(100), 100U);
  c.near->socket->shutdown_write();
  c.run_for(1s);
  std::vector<std::byte> room(200);
  const MutableBytes parts[] = {std::span(room).first(100), std::span(room).last(100)};
  const io::IoResult bytes = c.far->socket->read(parts);
  EXPECT_EQ(bytes.status, IoStatus::done);
  EXPECT_EQ(bytes.count, 100U);
  EXPECT_EQ(c.far->socket->read(parts).status, IoStatus::end);
}

TEST(SimTcp, carries_bytes_and_half_closes_each_way_alone) {
  Connected c;
  EXPECT_EQ(c.near->write(1000), 1000U);
  c.near->socket->shutdown_write();
  c.run_for(1s);
  EXPECT_EQ(c.far->drain(), IoStatus::end);
  EXPECT_EQ(c.far->drained, 1000U);
  EXPECT_EQ(c.far->drain(), IoStatus::would_block) << "the end is reported once";
  EXPECT_EQ(c.far->write(500), 500U);
  c.run_for(1s);
  EXPECT_EQ(c.near->drain(), IoStatus::would_block);
  EXPECT_EQ(c.near->drained, 500U);
  c.far->socket->shutdown_write();
  c.run_for(1s);
  EXPECT_EQ(c.near->drain(), IoStatus::end);
}

TEST(SimTcp, bounds_what_it_buffers_and_reports_room) {
  Connected c(1, {.send_buffer_bytes = 10'000, .receive_buffer_bytes = 20'000});
  std::size_t taken = 0;
  for (int i = 0; i < 20; ++i) {
    taken += c.near->write(100'000);
    c.run_for(100ms);
  }
  EXPECT_EQ(taken, 30'000U);
  c.near->watch(Interest::write);
  c.run_for(1s);
  EXPECT_EQ(c.near->writable_count, 1);
  EXPECT_EQ(c.far->drain(), IoStatus::would_block);
  c.run_for(1s);
  EXPECT_EQ(c.near->writable_count, 2);
}

TEST(SimTcp, reports_each_readiness_once_for_each_watch) {
  Connected c;
  c.far->watch(Interest::read);
  c.near->write(10);
  c.run_for(1s);
  c.near->write(10);
  c.run_for(1s);
  EXPECT_EQ(c.far->readable_count, 1);
  c.far->watch(Interest::read);
  EXPECT_EQ(c.far->readable_count, 1) << "never from inside the call";
  c.run_for(1s);
  EXPECT_EQ(c.far->readable_count, 2) << "unread data counts for a new watch";
}

TEST(SimTcp, a_short_read_has_drained_the_socket) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Connected c(seed);
    c.near->write(50'000);
    std::size_t got = 0;
    while (got < 50'000) {
      c.run_for(1ms);
      const io::IoResult result = c.far->read();
      if (result.status != IoStatus::done) continue;
      got += result.count;
      EXPECT_EQ(c.far->read().status, IoStatus::would_block);
    }
  }
}

TEST(SimTcp, an_abort_resets_the_far_side_whatever_it_watches) {
  Connected c;
  c.far->watch(Interest::none);
  c.near->socket->abort();
  c.run_for(1s);
  EXPECT_EQ(c.far->reset_count, 1);
  EXPECT_EQ(c.far->drain(), IoStatus::reset);
  EXPECT_EQ(c.far->write(1), 0U);
  c.far->watch(Interest::read);
  c.run_for(1s);
  EXPECT_EQ(c.far->reset_count, 1);
}

TEST(SimTcp, destroying_an_unfinished_socket_resets) {
  Connected c;
  c.near->write(10);
  c.near->socket->shutdown_write();
  c.run_for(1s);
  c.near.reset();
  c.run_for(1s);
  c.far->watch(Interest::read);
  c.run_for(1s);
  EXPECT_EQ(c.far->reset_count, 1);
}

TEST(SimTcp, destroying_a_finished_socket_loses_nothing) {
  Connected c;
  c.far->socket->shutdown_write();
  c.run_for(1s);
  EXPECT_EQ(c.near->drain(), IoStatus::end);
  c.near->write(100'000);
  c.near->socket->shutdown_write();
  c.near.reset();
  while (c.far->drain() != IoStatus::end) c.run_for(1ms);
  EXPECT_EQ(c.far->drained, 100'000U);
  c.far.reset();
  c.run_for(1s);
  EXPECT_EQ(c.world.network().tcp_connection_count(), 0U);
}

TEST(SimTcp, a_reset_may_take_unread_bytes_with_it_or_leave_them) {
  std::size_t kept = 0;
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Connected c(seed);
    c.near->write(1000);
    c.run_for(1s);
    c.near->socket->abort();
    c.run_for(1s);
    EXPECT_EQ(c.far->drain(), IoStatus::reset);
    ++(c.far->drained > 0 ? kept : lost);
  }
  EXPECT_GT(kept, 5U);
  EXPECT_GT(lost, 5U);
}

TEST(SimTcp, a_port_without_a_listener_refuses) {
  Pair pair;
  End near(*pair.a.connect_tcp(pair.b_host.v6(80)));
  near.watch(Interest::write);
  ASSERT_TRUE(pair.run_until([&] { return near.writable_count == 1; }, 1s));
  EXPECT_EQ(near.socket->connect_error(), "connection refused");
}

TEST(SimTcp, a_dark_host_times_out_and_an_unknown_one_has_no_route) {
  Pair pair;
  pair.b_host.set_dark(true);
  End near(*pair.a.connect_tcp(pair.b_host.v4(80)));
  near.watch(Interest::write);
  ASSERT_TRUE(pair.run_until([&] { return near.writable_count == 1; }));
  EXPECT_EQ(near.socket->connect_error(), "connection timed out");
  End nowhere(*pair.a.connect_tcp(*Address::parse("192.0.2.1:80")));
  nowhere.watch(Interest::write);
  ASSERT_TRUE(pair.run_until([&] { return nowhere.writable_count == 1; }));
  EXPECT_EQ(nowhere.socket->connect_error(), "no route to host");
}

TEST(SimTcp, giving_up_while_connecting_leaves_nothing) {
  Pair pair;
  pair.a.connect_tcp(pair.b_host.v4(80))->reset();
  pair.run_for(30s);
  EXPECT_EQ(pair.world.network().tcp_connection_count(), 0U);
}

TEST(SimTcp, a_partition_delays_and_loses_nothing) {
  Connected c;
  c.world.network().partition(c.a_host, c.b_host, 0ms, 5s);
  c.run_for(1ms);
  c.near->write(1000);
  c.run_for(4s);
  EXPECT_EQ(c.far->drain(), IoStatus::would_block);
  EXPECT_EQ(c.far->drained, 0U);
  c.run_for(2s);
  c.far->drain();
  EXPECT_EQ(c.far->drained, 1000U);
}

TEST(SimTcp, keep_alive_notices_a_far_end_that_is_gone_without_a_word) {
  Connected c;
  c.near->watch(Interest::none);
  c.near->socket->keep_alive(1s);
  c.run_for(60s);
  EXPECT_EQ(c.near->reset_count, 0) << "the far end answers";
  c.b_host.set_dark(true);
  c.near->write(1000);
  c.run_for(8s);
  EXPECT_EQ(c.near->reset_count, 0) << "probes may go unanswered";
  c.run_for(3s);
  EXPECT_EQ(c.near->reset_count, 1);
  EXPECT_EQ(c.near->drain(), IoStatus::reset);
}

TEST(SimTcp, without_keep_alive_a_far_end_that_is_gone_is_not_noticed) {
  Connected c;
  c.near->watch(Interest::none);
  c.b_host.set_dark(true);
  c.run_for(1h);
  EXPECT_EQ(c.near->reset_count, 0);
}

TEST(SimTcp, a_detached_socket_moves_to_another_loop_with_what_it_holds) {
  Connected c;
  SimLoop other(c.b_host, "other");
  c.near->write(100);
  c.run_for(1s);
  io::TcpHandle handle = c.far->socket->detach();
  c.far.reset();
  c.near->write(100);
  c.run_for(1s);
  {
    End moved(other.adopt_tcp(std::move(handle)));
    moved.watch(Interest::read);
    c.run_for(1s);
    EXPECT_EQ(moved.readable_count, 1);
    moved.drain();
    EXPECT_EQ(moved.drained, 200U);
  }
}

TEST(SimTcp, a_handle_that_is_never_adopted_is_reset) {
  Connected c;
  c.near->watch(Interest::read);
  {
    const io::TcpHandle handle = c.far->socket->detach();
  }
  c.far.reset();
  c.run_for(1s);
  EXPECT_EQ(c.near->reset_count, 1);
}

TEST(SimTcp, a_frozen_process_leaves_its_visitors_in_the_backlog_of_its_host) {
  Pair pair;
  struct Counting final : io::TcpListener::Events {
    void accepted(io::TcpHandle, const Address&, const Address&) override { ++count; }
    int count = 0;
  } events;
  pair.b_host.set_backlog(2);
  auto listener = *pair.b.listen_tcp(pair.b_host.v4(80), false, events);
  pair.b.set_frozen(true);
  std::vector<std::unique_ptr<End>> visitors;
  for (int i = 0; i < 3; ++i) {
    visitors.push_back(std::make_unique<End>(*pair.a.connect_tcp(pair.b_host.v4(80))));
    visitors.back()->watch(Interest::write);
  }
  pair.run_for(10s);
  EXPECT_EQ(events.count, 0);
  EXPECT_EQ(visitors[1]->writable_count, 1) << "the kernel has connected it";
  EXPECT_EQ(visitors[2]->writable_count, 0) << "the backlog is full";
  pair.b.set_frozen(false);
  pair.run_for(2s);
  EXPECT_EQ(events.count, 3);
}

TEST(SimTcp, a_full_backlog_makes_connecting_wait) {
  Pair pair;
  struct NoEvents final : io::TcpListener::Events {
    void accepted(io::TcpHandle, const Address&, const Address&) override { ++count; }
    int count = 0;
  } events;
  pair.world.network().tcp_properties().backlog = 1;
  pair.b.set_processing_time_max({});
  auto listener = *pair.b.listen_tcp(pair.b_host.v4(80), false, events);
  std::vector<std::unique_ptr<io::TcpSocket>> visitors;
  for (int i = 0; i < 5; ++i) visitors.push_back(*pair.a.connect_tcp(pair.b_host.v4(80)));
  pair.run_for(20s);
  EXPECT_EQ(events.count, 5);
}

}  // namespace
}  // namespace qmux::sim

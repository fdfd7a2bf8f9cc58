// SPDX-License-Identifier: MIT
//
// Members that refuse and clients that leave, at every moment (for UDP: udp_tunnel_test.cpp): in debug and sanitizer builds no
// callback may run inside a call made by its receiver (base/call_guard.h), and whatever happens everything is accounted for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/world/seeded_random.h"
#include "tunnel/limits.h"
#include "tunnel/server/server_fixture.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::RawClient;
using testing::ServerTest;
using testing::TcpEnd;

TEST_F(ServerTest, a_visitor_that_every_member_refuses_is_offered_to_each_once) {
  for (int i = 0; i < 40; ++i) {
    auto introduction = good();
    introduction.client_id = introduction.instance = std::to_string(i);
    add_registered_client(introduction, 1);
  }
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 40; ++i) visitors.push_back(visit());
  world_.run_for(1s);
  for (const auto& client : clients_) EXPECT_EQ(client->tunnels().size(), 1U);
  // No member has stream credit now: each keeps the newcomer for a second, and then it is the next one's.
  const auto refused = visit();
  EXPECT_TRUE(world_.run_until([&] { return refused->reset; }, ListenerOptions{}.wait_for_client + 1s));
  EXPECT_EQ(counters().visitors_no_client, 1U);
}

class Departures : public ServerTest, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  /// Eager, so that visitors return from silent clients too.
  Departures() : ServerTest(2, Balance::least_connections, Handover::eager) {}

  void join() {
    auto introduction = good();
    introduction.client_id = introduction.instance = std::to_string(clients_.size());
    add_registered_client(introduction, random_.between(1, 3));
    present_.push_back(clients_.back().get());
  }
  void leave() {
    if (present_.empty()) return;
    const auto which = present_.begin() + static_cast<std::ptrdiff_t>(random_.below(present_.size()));
    if (random_.chance(0.5)) {
      (*which)->say("", true);  // ends its control stream
    } else {
      (*which)->say("not a message");
    }
    present_.erase(which);
  }
  void go_away() {
    if (present_.empty()) return;
    present_[random_.below(present_.size())]->say(wire::GoAway{.idle = random_.chance(0.5)});
  }
  /// A client is cut off, or back.
  void fall_silent() {
    if (clients_.empty()) return;
    set_up(random_.below(clients_.size()), random_.chance(0.5));
  }
  /// A client is done with a tunnel, which is stream credit for another.
  void end_tunnel() {
    if (present_.empty()) return;
    RawClient& client = *present_[random_.below(present_.size())];
    for (quic::TestStream& tunnel : client.tunnels()) {
      if (tunnel.stream == nullptr) continue;
      quic::Stream* const stream = std::exchange(tunnel.stream, nullptr);
      stream->reset(quic::ErrorCode::dial_failed);
      stream->stop_reading(quic::ErrorCode::dial_failed);
      stream->release();
      client.work();
      return;
    }
  }
  void act() {
    switch (random_.below(10)) {
      case 8:
        return go_away();
      case 9:
        return fall_silent();
      case 0:
        return join();
      case 1:
        return leave();
      case 2:
        return end_tunnel();
      case 3:
        if (!visitors_.empty()) visitors_.erase(visitors_.begin());
        return;
      default:
        visitors_.push_back(visit());
    }
  }
  [[nodiscard]] std::uint64_t sum(Counter Counters::* counter) const {
    return counters(0).*counter + counters(1).*counter;
  }

  sim::SeededRandom random_{GetParam(), "departures"};
  std::vector<RawClient*> present_;
  std::vector<std::unique_ptr<TcpEnd>> visitors_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, Departures, ::testing::Range<std::uint64_t>(1, 13));

TEST_P(Departures, every_visitor_is_served_or_refused_for_a_reason) {
  join();
  for (int i = 0; i < 120; ++i) {
    act();
    if (random_.chance(0.6)) world_.run_for(random_.between(Duration(0ms), Duration(400ms)));
  }
  for (std::size_t client = 0; client < clients_.size(); ++client) reconnect(client);
  while (!present_.empty()) leave();
  world_.run_for(ListenerOptions{}.wait_for_client + limits::kStreamCreditWaitTimeMax + 1s);
  EXPECT_EQ(server_->pool(0).size(), 0U);
  EXPECT_EQ(server_->pool(0).assignments(), 0U);
  EXPECT_EQ(
      sum(&Counters::visitors_accepted) + sum(&Counters::visitors_returned),
      sum(&Counters::tunnels_opened) + counters(0).visitors_refused_in_all() + counters(1).visitors_refused_in_all());
  EXPECT_EQ(sum(&Counters::tunnels_opened), counters(0).tunnels_closed_in_all() + counters(1).tunnels_closed_in_all());
}

TEST_P(Departures, a_stop_at_any_moment_ends_and_accounts_for_every_visitor) {
  join();
  for (std::uint64_t actions = random_.between(5, 100); actions > 0; --actions) {
    act();
    if (random_.chance(0.6)) world_.run_for(random_.between(Duration(0ms), Duration(400ms)));
  }
  server_->stop();
  EXPECT_TRUE(
      world_.run_until([&] { return server_stopped_; }, ServerOptions{}.drain_timeout + limits::kStopTimeMax + 1s));
  EXPECT_EQ(
      sum(&Counters::visitors_accepted) + sum(&Counters::visitors_returned),
      sum(&Counters::tunnels_opened) + counters(0).visitors_refused_in_all() + counters(1).visitors_refused_in_all());
  EXPECT_EQ(sum(&Counters::tunnels_opened), counters(0).tunnels_closed_in_all() + counters(1).tunnels_closed_in_all());
}

}  // namespace
}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// A server as its clients and visitors find it, over a simulated link. The client is the test: it may do what no client
// should.
#include "tunnel/server/server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "quic/limits.h"
#include "tunnel/limits.h"
#include "tunnel/server/server_fixture.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::bytes_of;
using testing::RawClient;
using testing::ServerTest;
using testing::take_messages;
using testing::TcpEnd;

// --- registration --------------------------------------------------------------------------------------------------------

TEST_F(ServerTest, answers_a_registration_with_the_extensions_it_will_use) {
  RawClient& client = add_client();
  client.say(good());
  const auto answer = answer_to(client);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->success);
  EXPECT_EQ(answer->capabilities, std::vector<std::string>{"conn-ack"});
  EXPECT_EQ(server_->pool(0).size(), 1U);
}

TEST_F(ServerTest, tells_a_refused_client_why_before_it_closes) {
  RawClient& client = add_client();
  auto introduction = good();
  introduction.version = "7";
  client.say(introduction);
  const auto answer = answer_to(client);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->success);
  EXPECT_FALSE(answer->message.empty());
  expect_closed(client, quic::ErrorCode::refused, limits::kRefusalLingerTimeMax + 1s);
  EXPECT_EQ(counters().clients_refused, 1U);
}

TEST_F(ServerTest, closes_a_connection_that_does_not_register_in_time) {
  RawClient& client = add_client();
  expect_closed(client, quic::ErrorCode::refused, limits::kRegisterTimeMax + 1s);
}

TEST_F(ServerTest, closes_on_a_message_before_register_and_on_a_second_register) {
  RawClient& early = add_client();
  early.say(wire::Heartbeat{});
  expect_closed(early, quic::ErrorCode::refused);
  RawClient& twice = add_registered_client();
  twice.say(good());
  expect_closed(twice, quic::ErrorCode::refused);
  EXPECT_EQ(server_->pool(0).size(), 0U);
  EXPECT_EQ(counters().protocol_errors, 2U);
}

TEST_F(ServerTest, what_follows_a_message_out_of_order_is_not_looked_at) {
  RawClient& client = add_client();
  client.say(bytes_of(wire::Heartbeat{}) + bytes_of(good()) + bytes_of(wire::Heartbeat{}));
  expect_closed(client, quic::ErrorCode::refused);
  EXPECT_EQ(counters().clients_registered, 0U);
  EXPECT_EQ(counters().protocol_errors, 1U);
}

TEST_F(ServerTest, closes_on_garbage) {
  RawClient& client = add_client();
  client.say("GET / HTTP/1.1\r\nHost: qmux\r\n\r\n");
  expect_closed(client, quic::ErrorCode::refused);
}

TEST_F(ServerTest, closes_when_the_control_stream_ends) {
  RawClient& client = add_registered_client();
  client.say("", true);
  expect_closed(client, quic::ErrorCode::shutdown);
}

TEST_F(ServerTest, closes_when_no_heartbeat_comes_while_quic_still_answers) {
  RawClient& client = add_registered_client();
  world_.run_for(29s);
  EXPECT_FALSE(client.cause());
  expect_closed(client, quic::ErrorCode::refused, 2s);
}

TEST_F(ServerTest, refuses_streams_that_a_client_has_no_business_to_open) {
  RawClient& client = add_registered_client();
  quic::TestStream& stream = client.open_another_stream();
  ASSERT_TRUE(world_.run_until([&] { return stream.reset.has_value(); }));
  EXPECT_EQ(*stream.reset, static_cast<std::uint64_t>(quic::ErrorCode::limit_reached));
  EXPECT_FALSE(client.cause());
}

TEST_F(ServerTest, a_higher_epoch_replaces_and_a_lower_one_is_refused) {
  auto introduction = good();
  introduction.epoch = 5;
  RawClient& first = add_registered_client(introduction);
  introduction.epoch = 6;
  add_registered_client(introduction);
  expect_closed(first, quic::ErrorCode::shutdown);
  introduction.epoch = 5;
  RawClient& late = add_client();
  late.say(introduction);
  const auto answer = answer_to(late);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->success);
  EXPECT_EQ(server_->pool(0).size(), 1U);
}

// --- visitors ------------------------------------------------------------------------------------------------------------

TEST_F(ServerTest, introduces_a_visitor_and_carries_what_follows) {
  RawClient& client = add_registered_client();
  const auto visitor = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  visitor->send("hello");
  quic::TestStream& tunnel = client.tunnels().front();
  ASSERT_TRUE(world_.run_until([&] { return tunnel.received.ends_with("hello"); }));
  const auto messages = take_messages(tunnel.received, 1);
  ASSERT_EQ(messages.size(), 1U);
  const auto& request = std::get<wire::NewConn>(messages[0]);
  EXPECT_EQ(request.protocol, "tcp");
  EXPECT_TRUE(request.ack);
  EXPECT_EQ(request.dest_addr, server_->traffic_address(0).text());
  EXPECT_EQ(tunnel.received, "hello");

  tunnel.send(std::string("\0world", 6), true);
  client.work();
  ASSERT_TRUE(world_.run_until([&] { return visitor->ended; }));
  EXPECT_EQ(visitor->received, "world");
}

TEST_F(ServerTest, resets_a_visitor_whose_service_cannot_be_dialled) {
  RawClient& client = add_registered_client();
  const auto visitor = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  client.tunnels().front().stream->reset(quic::ErrorCode::dial_failed);
  client.work();
  EXPECT_TRUE(world_.run_until([&] { return visitor->reset; }));
  EXPECT_TRUE(visitor->received.empty());
  EXPECT_EQ(counters().tunnels_closed[static_cast<std::size_t>(RelayEnd::Cause::dial_failed)], 1U);
}

TEST_F(ServerTest, a_visitor_waits_a_little_for_a_client_to_come) {
  const auto visitor = visit();
  world_.run_for(1s);
  RawClient& client = add_registered_client();
  EXPECT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }, 1s));
  EXPECT_FALSE(visitor->reset);
}

TEST_F(ServerTest, a_visitor_for_whom_no_client_comes_is_reset) {
  const auto visitor = visit();
  world_.run_for(ListenerOptions{}.wait_for_client - 1s);
  EXPECT_FALSE(visitor->reset);
  EXPECT_TRUE(world_.run_until([&] { return visitor->reset; }, 2s));
  EXPECT_EQ(counters().visitors_no_client, 1U);
}

TEST_F(ServerTest, a_visitor_waits_for_stream_credit_and_blocks_none) {
  RawClient& client = add_registered_client(good(), 1);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  visitors.push_back(visit());
  ASSERT_TRUE(world_.run_until([&] { return client.tunnels().size() == 1; }));
  visitors.push_back(visit());
  world_.run_for(1500ms);
  EXPECT_EQ(client.tunnels().size(), 1U);
  EXPECT_FALSE(visitors[1]->reset);
  client.tunnels().front().stream->reset(quic::ErrorCode::tcp_reset);
  client.tunnels().front().stream->stop_reading(quic::ErrorCode::tcp_reset);
  client.tunnels().front().stream->release();
  client.work();
  EXPECT_TRUE(world_.run_until([&] { return client.tunnels().size() == 2; }, 2s));
}

TEST_F(ServerTest, a_visitor_waits_for_stream_credit_no_longer_than_for_a_client) {
  RawClient& client = add_registered_client(good(), 1);
  const auto served = visit();
  ASSERT_TRUE(world_.run_until([&] { return client.tunnels().size() == 1; }));
  const auto waits = visit();
  world_.run_for(4900ms);
  EXPECT_FALSE(waits->reset);
  EXPECT_TRUE(world_.run_until([&] { return waits->reset; }, 200ms));
  EXPECT_EQ(counters().visitors_no_client, 1U);
}

TEST_F(ServerTest, a_visitor_goes_to_the_client_that_has_stream_credit) {
  RawClient& narrow = add_registered_client(good(), 1);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  visitors.push_back(visit());
  visitors.push_back(visit());
  ASSERT_TRUE(world_.run_until([&] { return narrow.tunnels().size() == 1; }));
  auto introduction = good();
  introduction.client_id = "b";
  RawClient& wide = add_registered_client(introduction);
  for (int i = 0; i < 5; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return wide.tunnels().size() == 6; }, 3s));
  EXPECT_EQ(narrow.tunnels().size(), 1U);
}

TEST_F(ServerTest, losing_a_client_resets_its_visitors) {
  RawClient& client = add_registered_client();
  const auto visitor = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  client.say("not a message");
  EXPECT_TRUE(world_.run_until([&] { return visitor->reset; }));
  EXPECT_FALSE(visitor->ended);
  EXPECT_EQ(counters().tunnels_opened, counters().tunnels_closed_in_all());
}

TEST_F(ServerTest, no_visitor_goes_to_a_client_that_drains) {
  RawClient& client = add_registered_client();
  client.say(wire::GoAway{.reason = "maintenance"});
  world_.run_for(100ms);
  const auto visitor = visit();
  world_.run_for(1s);
  EXPECT_TRUE(client.tunnels().empty());
  EXPECT_FALSE(client.cause());
}

TEST_F(ServerTest, visitors_avoid_a_client_that_does_not_answer) {
  RawClient& dead = add_registered_client();
  auto introduction = good();
  introduction.client_id = "b";
  RawClient& alive = add_registered_client(introduction);
  cut_off(0);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  visitors.push_back(visit());
  visitors.push_back(visit());
  world_.run_for(4 * limits::kPathSilenceLookMin);
  for (int i = 0; i < 4; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return alive.tunnels().size() == 5; }, 1s));
  EXPECT_TRUE(dead.tunnels().empty());
}

TEST_F(ServerTest, a_client_that_answers_again_is_chosen_again) {
  RawClient& client = add_registered_client();
  cut_off(0);
  const auto first = visit();
  world_.run_for(4 * limits::kPathSilenceLookMin);
  reconnect(0);
  world_.run_for(5s);
  auto introduction = good();
  introduction.client_id = "b";
  RawClient& other = add_registered_client(introduction);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 3; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return client.tunnels().size() == 2 && other.tunnels().size() == 2; }, 1s));
}

TEST_F(ServerTest, data_without_an_answer_shows_that_a_client_is_dead_and_its_next_packet_that_it_is_not) {
  RawClient& client = add_registered_client();
  const auto first = visit();
  ASSERT_TRUE(world_.run_until([&] { return client.tunnels().size() == 1; }));
  auto introduction = good();
  introduction.client_id = "b";
  RawClient& other = add_registered_client(introduction);
  const auto second = visit();
  ASSERT_TRUE(world_.run_until([&] { return other.tunnels().size() == 1; }));
  world_.run_for(3s);
  cut_off(0);
  first->send("x");
  world_.run_for(4 * limits::kPathSilenceLookMin);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 3; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return other.tunnels().size() == 4; }, 100ms));
  reconnect(0);
  client.say(wire::Heartbeat{});
  world_.run_for(50ms);
  visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return client.tunnels().size() == 2; }, 100ms));
}

TEST_F(ServerTest, a_client_under_the_name_of_a_dead_one_takes_its_visitors_soon) {
  RawClient& dead = add_registered_client();
  cut_off(0);
  auto introduction = good();
  introduction.instance = "restarted";
  RawClient& alive = add_registered_client(introduction);
  world_.run_for(4 * limits::kPathSilenceLookMin);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 4; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return alive.tunnels().size() == 4; }, 100ms));
  EXPECT_TRUE(dead.tunnels().empty());
}

// --- a client whose local service is down --------------------------------------------------------------------------------

struct Service {
  RawClient& client;
  bool is_up;
  bool go;  ///< the client is a Go program
  std::size_t answered = 0;

  /// Answers, or refuses, the connections that have come.
  void work() {
    for (; answered < client.tunnels().size(); ++answered) {
      quic::TestStream& tunnel = client.tunnels()[answered];
      const auto messages = take_messages(tunnel.received, 1);
      if (messages.empty()) return;
      const std::uint64_t conn_id = std::get<wire::NewConn>(messages[0]).conn_id;
      if (go) {
        const std::string reason = is_up ? "closed" : "dial failed: connect: connection refused";
        tunnel.send((is_up ? "hello" : "") + bytes_of(wire::ConnClose{.conn_id = conn_id, .reason = reason}), true);
      } else if (is_up) {
        tunnel.send(std::string("\0hello", 6), true);
      } else {
        tunnel.stream->reset(quic::ErrorCode::dial_failed);
        tunnel.stream->stop_reading(quic::ErrorCode::dial_failed);
      }
      client.work();
    }
  }
};

class ServerWithDeadServiceTest : public ServerTest, public ::testing::WithParamInterface<std::tuple<Balance, bool>> {
 protected:
  ServerWithDeadServiceTest() : ServerTest(1, std::get<Balance>(GetParam())) {
    for (const char* name : {"healthy", "dead"}) {
      wire::Register introduction = good();
      introduction.client_id = introduction.instance = name;
      if (go()) introduction = {.client_id = name, .version = "1.0", .capabilities = {"tcp", "udp"}};
      services_.push_back({.client = add_registered_client(introduction), .is_up = name[0] == 'h', .go = go()});
    }
  }
  [[nodiscard]] static bool go() { return std::get<bool>(GetParam()); }

  /// One visitor after another. Returns how many were served.
  int served(int visitors, Duration interval) {
    int count = 0;
    for (int i = 0; i < visitors; ++i) {
      const auto visitor = visit();
      EXPECT_TRUE(world_.run_until([&] {
        for (Service& service : services_) service.work();
        return visitor->ended || visitor->reset;
      }));
      if (visitor->received == "hello") ++count;
      visitor->finish();
      world_.run_for(interval);
    }
    return count;
  }

  std::vector<Service> services_;
};

INSTANTIATE_TEST_SUITE_P(Balances, ServerWithDeadServiceTest,
                         ::testing::Combine(::testing::Values(Balance::least_connections, Balance::round_robin),
                                            ::testing::Bool()));

TEST_P(ServerWithDeadServiceTest, fifty_visitors_within_five_seconds_are_served_but_for_two) {
  EXPECT_GE(served(50, 100ms), 48);
}

TEST_P(ServerWithDeadServiceTest, serves_visitors_again_once_it_is_up) {
  EXPECT_GE(served(10, 100ms), 9);
  services_[1].is_up = true;
  const std::size_t before = services_[1].answered;
  EXPECT_EQ(served(40, 200ms), 40);
  EXPECT_GE(services_[1].answered - before, 12U);
}

// --- several workers -----------------------------------------------------------------------------------------------------

class ServerWithWorkersTest : public ServerTest {
 protected:
  ServerWithWorkersTest() : ServerTest(3) {}
  [[nodiscard]] std::uint64_t sum(Counter Counters::* counter) const {
    return counters(0).*counter + counters(1).*counter + counters(2).*counter;
  }
};

TEST_F(ServerWithWorkersTest, a_visitor_reaches_the_client_on_whichever_worker_they_arrive) {
  RawClient& client = add_registered_client();
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 30; ++i) visitors.push_back(visit());
  ASSERT_TRUE(world_.run_until([&] { return client.tunnels().size() == 30; }));
  EXPECT_GT(sum(&Counters::visitors_moved), 0U);
  EXPECT_EQ(sum(&Counters::visitors_accepted), 30U);
  EXPECT_EQ(server_->pool(0).assignments(), 30U);
  visitors.clear();
  EXPECT_TRUE(world_.run_until([&] { return server_->pool(0).assignments() == 0; }));
  EXPECT_EQ(sum(&Counters::tunnels_opened), 30U);
}

TEST_F(ServerWithWorkersTest, clients_on_all_workers_share_the_visitors) {
  std::vector<RawClient*> clients;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    auto introduction = good();
    introduction.client_id = name;
    clients.push_back(&add_registered_client(introduction));
  }
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 60; ++i) visitors.push_back(visit());
  for (RawClient* const client : clients) {
    EXPECT_TRUE(world_.run_until([&] { return client->tunnels().size() == 10; }));
  }
}

TEST_F(ServerWithWorkersTest, a_higher_epoch_replaces_on_whichever_worker_it_arrives) {
  auto introduction = good();
  RawClient* before = &add_registered_client(introduction);
  for (int i = 0; i < 8; ++i) {
    ++introduction.epoch;
    RawClient& after = add_registered_client(introduction);
    expect_closed(*before, quic::ErrorCode::shutdown);
    before = &after;
  }
  EXPECT_EQ(server_->pool(0).size(), 1U);
}

TEST_F(ServerWithWorkersTest, visitors_who_wait_on_any_worker_find_the_client_that_comes) {
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 20; ++i) visitors.push_back(visit());
  world_.run_for(1s);
  RawClient& client = add_registered_client();
  EXPECT_TRUE(world_.run_until([&] { return client.tunnels().size() == 20; }, 1s));
}

TEST_F(ServerWithWorkersTest, clients_of_one_name_share_the_visitors_though_one_has_just_come) {
  std::vector<RawClient*> clients;
  for (const char* instance : {"i1", "i2", "i3", "i4", "i5", "i6"}) {
    auto introduction = good();
    introduction.instance = instance;
    clients.push_back(&add_registered_client(introduction));
  }
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 60; ++i) visitors.push_back(visit());
  for (RawClient* const client : clients) {
    EXPECT_TRUE(world_.run_until([&] { return client->tunnels().size() == 10; }));
  }
}

TEST_F(ServerWithWorkersTest, a_dead_client_is_found_out_on_whichever_worker_it_was) {
  for (int i = 0; i < 6; ++i) {
    auto introduction = good();
    introduction.instance = std::to_string(i);
    add_registered_client(introduction);
    cut_off(static_cast<std::size_t>(i));
  }
  auto introduction = good();
  introduction.instance = "restarted";
  RawClient& alive = add_registered_client(introduction);
  world_.run_for(limits::kNamesakeQuestionInterval + 4 * limits::kPathSilenceLookMin);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 12; ++i) visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return alive.tunnels().size() == 12; }, 100ms));
}

TEST_F(ServerWithWorkersTest, an_orderly_stop_waits_for_every_worker) {
  for (int i = 0; i < 4; ++i) add_registered_client({.client_id = std::to_string(i), .version = "1.0"});
  server_->stop();
  EXPECT_TRUE(world_.run_until([&] { return server_stopped_; }, limits::kStopTimeMax + 1s));
  for (const auto& client : clients_) expect_closed(*client, quic::ErrorCode::shutdown);
}

// --- stopping ------------------------------------------------------------------------------------------------------------

TEST_F(ServerTest, an_orderly_stop_lets_everybody_know_and_ends_soon) {
  RawClient& client = add_registered_client();
  server_->stop();
  EXPECT_TRUE(world_.run_until([&] { return server_stopped_; }, limits::kStopTimeMax));
  expect_closed(client, quic::ErrorCode::shutdown);
}

TEST_F(ServerTest, a_visitor_outlives_the_stop_for_as_long_as_the_drain_may_take) {
  RawClient& client = add_registered_client();
  const auto visitor = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  client.tunnels().front().send(std::string(1, '\0'), false);
  client.work();
  server_->stop();
  world_.run_for(ServerOptions{}.drain_timeout - 100ms);
  EXPECT_FALSE(server_stopped_);
  EXPECT_FALSE(visitor->reset);
  EXPECT_TRUE(world_.run_until([&] { return server_stopped_; }, limits::kStopTimeMax + 200ms));
  expect_closed(client, quic::ErrorCode::shutdown);
  EXPECT_TRUE(world_.run_until([&] { return visitor->reset; }));
}

TEST_F(ServerTest, a_server_that_stops_ends_when_its_last_visitor_has_been_served) {
  auto introduction = good();
  introduction.capabilities.emplace_back("drain");
  RawClient& client = add_registered_client(introduction);
  const auto visitor = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  server_->stop();
  std::vector<wire::Message> heard;
  EXPECT_TRUE(world_.run_until([&] { return !(heard = client.hear()).empty(); }, 200ms));
  EXPECT_TRUE(std::holds_alternative<wire::GoAway>(heard.front()));
  world_.run_for(3s);
  EXPECT_FALSE(server_stopped_);
  client.tunnels().front().send(std::string("\0served", 7), true);
  client.work();
  ASSERT_TRUE(world_.run_until([&] { return visitor->ended; }));
  EXPECT_EQ(visitor->received, "served");
  visitor->finish();
  // The client's local service may read more slowly than the server sends.
  world_.run_for(1s);
  EXPECT_FALSE(server_stopped_);
  client.say(wire::GoAway{.idle = true, .tunnels = 1});
  EXPECT_TRUE(world_.run_until([&] { return server_stopped_; }, 200ms));
}

TEST_F(ServerTest, a_server_that_stops_takes_no_more_visitors_and_clients) {
  RawClient& client = add_registered_client();
  const auto first = visit();
  ASSERT_TRUE(world_.run_until([&] { return !client.tunnels().empty(); }));
  RawClient& unregistered = add_client();
  server_->stop();
  world_.run_for(10ms);
  const auto refused = visit();
  unregistered.say(good());
  const auto answer = answer_to(unregistered);
  EXPECT_TRUE(answer && !answer->success);
  world_.run_for(1s);
  EXPECT_EQ(counters().visitors_accepted, 1U);
  EXPECT_FALSE(first->reset);
}

}  // namespace
}  // namespace qmux::tunnel

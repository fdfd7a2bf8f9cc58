// SPDX-License-Identifier: MIT
//
// Tests ServerTunnel and Offer: a visitor that one client could not serve is given to another, with all that it has sent.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tunnel/limits.h"
#include "tunnel/server/server_fixture.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using quic::ErrorCode;
using testing::RawClient;
using testing::ServerTest;
using testing::take_messages;
using testing::TcpEnd;

/// Two clients, and a visitor that has come to the first of them.
class HandoverTest : public ServerTest {
 protected:
  explicit HandoverTest(Handover handover = Handover::safe, wire::Register introduction = good())
      : ServerTest(1, Balance::least_connections, handover) {
    for (const char* name : {"a", "b"}) {
      introduction.client_id = name;
      if (!introduction.instance.empty()) introduction.instance = name;
      add_registered_client(introduction);
    }
  }

  RawClient& first() { return *clients_[0]; }
  RawClient& second() { return *clients_[1]; }
  quic::TestStream& tunnel(RawClient& client) { return client.tunnels().back(); }

  void begin_visit() {
    visitor_ = visit();
    ASSERT_TRUE(world_.run_until([&] { return first().tunnels().size() == 1; }));
  }
  void send(const std::string& text) {
    visitor_->send(text);
    ASSERT_TRUE(world_.run_until([&] { return tunnel(first()).received.ends_with(text); }));
  }
  void end_tunnel(RawClient& client, ErrorCode code) {
    quic::Stream& stream = *std::exchange(tunnel(client).stream, nullptr);
    stream.reset(code);
    stream.stop_reading(code);
    stream.release();
    client.work();
  }
  /// The second client gets the visitor, with these bytes behind NewConn.
  void expect_handed_over(const std::string& bytes, Duration within = 1s) {
    ASSERT_TRUE(world_.run_until([&] { return !second().tunnels().empty(); }, within));
    quic::TestStream& stream = tunnel(second());
    ASSERT_TRUE(world_.run_until([&] { return stream.received.ends_with(bytes); }));
    ASSERT_EQ(take_messages(stream.received, 1).size(), 1U);
    EXPECT_EQ(stream.received, bytes);
    EXPECT_FALSE(visitor_->reset);
    EXPECT_EQ(counters().visitors_handed_over, 1U);
    EXPECT_EQ(counters().visitors_returned, 1U);
    EXPECT_EQ(server_->pool(0).assignments(), 1U);
  }
  void expect_served_by(RawClient& client, const std::string& answer = "answer") {
    tunnel(client).send(std::string("\0", 1) + answer, true);
    client.work();
    EXPECT_TRUE(world_.run_until([&] { return visitor_->ended; }));
    EXPECT_EQ(visitor_->received, answer);
  }
  void expect_not_handed_over(Duration within = 1s) {
    EXPECT_TRUE(world_.run_until([&] { return visitor_->reset; }, within));
    EXPECT_TRUE(second().tunnels().empty());
    EXPECT_EQ(counters().visitors_handed_over, 0U);
    EXPECT_EQ(server_->pool(0).assignments(), 0U);
  }

  std::unique_ptr<TcpEnd> visitor_;
};

class EagerHandoverTest : public HandoverTest {
 protected:
  EagerHandoverTest() : HandoverTest(Handover::eager) {}
};

class NoHandoverTest : public HandoverTest {
 protected:
  NoHandoverTest() : HandoverTest(Handover::off) {}
};

TEST_F(HandoverTest, after_a_failed_dial_another_client_gets_all_that_the_visitor_has_sent) {
  begin_visit();
  send("request");
  end_tunnel(first(), ErrorCode::dial_failed);
  expect_handed_over("request");
  expect_served_by(second());
}

TEST_F(HandoverTest, a_fin_of_the_visitor_is_handed_over_too) {
  begin_visit();
  send("request");
  visitor_->finish();
  ASSERT_TRUE(world_.run_until([&] { return tunnel(first()).ended; }));
  end_tunnel(first(), ErrorCode::dial_failed);
  expect_handed_over("request");
  EXPECT_TRUE(world_.run_until([&] { return tunnel(second()).ended; }));
  expect_served_by(second());
}

TEST_F(HandoverTest, a_client_that_goes_away_gives_the_visitor_back) {
  begin_visit();
  send("request");
  end_tunnel(first(), ErrorCode::going_away);
  expect_handed_over("request");
  expect_served_by(second());
}

TEST_F(HandoverTest, a_visitor_whose_dial_fails_at_every_client_is_reset_at_once) {
  begin_visit();
  end_tunnel(first(), ErrorCode::dial_failed);
  ASSERT_TRUE(world_.run_until([&] { return !second().tunnels().empty(); }));
  end_tunnel(second(), ErrorCode::dial_failed);
  EXPECT_TRUE(world_.run_until([&] { return visitor_->reset; }, 200ms));
  EXPECT_EQ(counters().visitors_no_service, 1U);
  EXPECT_EQ(first().tunnels().size(), 1U);
}

TEST_F(HandoverTest, the_relay_begins_once_the_client_has_reached_its_service) {
  begin_visit();
  send("request");
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  visitor_->send(" and more");
  EXPECT_TRUE(world_.run_until([&] { return tunnel(first()).received.ends_with("request and more"); }));
  const std::string answer("\0ok", 3);  // no second acknowledgement is taken off
  tunnel(first()).send(answer, true);
  first().work();
  EXPECT_TRUE(world_.run_until([&] { return visitor_->ended; }));
  EXPECT_EQ(visitor_->received, answer);
}

TEST_F(HandoverTest, a_failed_dial_after_the_acknowledgement_ends_the_tunnel) {
  begin_visit();
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  end_tunnel(first(), ErrorCode::dial_failed);
  expect_not_handed_over();
}

TEST_F(HandoverTest, what_a_visitor_sends_is_kept_up_to_a_limit_and_the_rest_waits) {
  begin_visit();
  const std::string much(3 * limits::kVisitorPrefixBytesMax, 'x');
  visitor_->send(much);
  world_.run_for(1s);
  const std::string kept(limits::kVisitorPrefixBytesMax, 'x');
  ASSERT_EQ(take_messages(tunnel(first()).received, 1).size(), 1U);
  EXPECT_EQ(tunnel(first()).received.size(), kept.size());
  end_tunnel(first(), ErrorCode::dial_failed);
  expect_handed_over(kept);
  tunnel(second()).send(std::string(1, '\0'), false);
  second().work();
  EXPECT_TRUE(world_.run_until([&] { return tunnel(second()).received.size() > kept.size(); }));
}

TEST_F(HandoverTest, a_lost_client_that_may_have_some_of_the_visitors_bytes_keeps_them) {
  begin_visit();
  send("request");
  first().say("", true);  // ends its control stream
  expect_not_handed_over();
}

TEST_F(HandoverTest, a_lost_client_that_has_none_of_the_visitors_bytes_loses_no_visitor) {
  begin_visit();
  first().say("", true);
  expect_handed_over("");
  visitor_->send("request");
  EXPECT_TRUE(world_.run_until([&] { return tunnel(second()).received == "request"; }));
  expect_served_by(second());
}

TEST_F(HandoverTest, a_silent_client_keeps_only_visitors_that_have_sent_something) {
  begin_visit();
  send("request");
  cut_off(0);
  const auto quiet = visit();
  EXPECT_TRUE(world_.run_until([&] { return second().tunnels().size() == 1; }, limits::kSilentHandoverTime + 1s));
  world_.run_for(5s);
  EXPECT_EQ(second().tunnels().size(), 1U);
  EXPECT_FALSE(visitor_->reset);
}

TEST_F(HandoverTest, a_client_that_does_not_answer_promptly_is_avoided_until_it_does) {
  begin_visit();
  world_.run_for(limits::kPromptAckTimeMax + 100ms);
  std::vector<std::unique_ptr<TcpEnd>> visitors;
  for (int i = 0; i < 4; ++i) visitors.push_back(visit());
  ASSERT_TRUE(world_.run_until([&] { return second().tunnels().size() == 4; }));
  EXPECT_EQ(first().tunnels().size(), 1U);
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  visitors.push_back(visit());
  EXPECT_TRUE(world_.run_until([&] { return first().tunnels().size() == 2; }));
}

TEST_F(HandoverTest, a_draining_client_returns_the_visitors_that_wait_for_its_stream_credit) {
  auto introduction = good();
  introduction.client_id = introduction.instance = "narrow";
  RawClient& narrow = add_registered_client(introduction, 1);
  first().say(wire::GoAway{});
  second().say(wire::GoAway{});
  world_.run_for(100ms);
  const auto served = visit();
  ASSERT_TRUE(world_.run_until([&] { return narrow.tunnels().size() == 1; }));
  const auto waits = visit();
  world_.run_for(100ms);
  introduction.client_id = introduction.instance = "other";
  RawClient& other = add_registered_client(introduction);
  narrow.say(wire::GoAway{});
  EXPECT_TRUE(world_.run_until([&] { return other.tunnels().size() == 1; }, 200ms));
}

TEST_F(EagerHandoverTest, a_lost_client_loses_no_visitor_that_has_no_answer_yet) {
  begin_visit();
  send("request");
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  first().say("", true);
  expect_handed_over("request");
  expect_served_by(second());
}

TEST_F(EagerHandoverTest, a_silent_client_loses_its_unanswered_visitors_after_two_seconds) {
  begin_visit();
  send("request");
  world_.run_for(5s);  // a slow service is not a silent client
  EXPECT_TRUE(second().tunnels().empty());
  cut_off(0);
  world_.run_for(limits::kSilentHandoverTime - 1s);
  EXPECT_TRUE(second().tunnels().empty());
  expect_handed_over("request", 2s);
}

TEST_F(EagerHandoverTest, a_silent_client_that_is_alone_keeps_its_visitors) {
  second().say("", true);
  ASSERT_TRUE(world_.run_until([&] { return server_->pool(0).size() == 1; }));
  begin_visit();
  send("request");
  cut_off(0);
  world_.run_for(2 * limits::kSilentHandoverTime);
  EXPECT_EQ(counters().visitors_returned, 0U);
  reconnect(0);
  expect_served_by(first());
}

TEST_F(EagerHandoverTest, an_answer_binds_the_visitor_to_its_client) {
  begin_visit();
  send("request");
  tunnel(first()).send(std::string("\0half", 5), false);
  first().work();
  ASSERT_TRUE(world_.run_until([&] { return visitor_->received == "half"; }));
  first().say("", true);
  expect_not_handed_over();
}

TEST_F(EagerHandoverTest, more_than_what_is_kept_binds_the_visitor_to_its_client) {
  begin_visit();
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  visitor_->send(std::string(2 * limits::kVisitorPrefixBytesMax, 'x'));
  ASSERT_TRUE(
      world_.run_until([&] { return tunnel(first()).received.size() > limits::kVisitorPrefixBytesMax + 1000; }));
  first().say("", true);
  expect_not_handed_over();
}

TEST_F(NoHandoverTest, a_failed_dial_resets_the_visitor) {
  begin_visit();
  end_tunnel(first(), ErrorCode::dial_failed);
  expect_not_handed_over();
}

TEST_F(HandoverTest, a_visitor_that_resets_during_the_offer_still_gets_its_bytes_through) {
  begin_visit();
  send("request");
  visitor_.reset();
  EXPECT_TRUE(world_.run_until([&] { return tunnel(first()).reset.has_value(); }));
  EXPECT_TRUE(tunnel(first()).received.ends_with("request"));
  EXPECT_EQ(*tunnel(first()).reset, static_cast<std::uint64_t>(ErrorCode::tcp_reset));
  EXPECT_TRUE(second().tunnels().empty());
}

// --- an acknowledged visitor that has sent nothing --------------------------------------------------------------------

TEST_F(HandoverTest, a_visitor_that_has_sent_nothing_outlives_the_client_that_acknowledged_it) {
  begin_visit();
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  first().say("", true);
  expect_handed_over("");
  visitor_->send("request");
  EXPECT_TRUE(world_.run_until([&] { return tunnel(second()).received == "request"; }));
  expect_served_by(second());
}

TEST_F(HandoverTest, its_first_byte_binds_a_visitor_to_the_client_that_acknowledged_it) {
  begin_visit();
  tunnel(first()).send(std::string(1, '\0'), false);
  first().work();
  world_.run_for(100ms);
  send("r");
  first().say("", true);
  expect_not_handed_over();
}

TEST_F(HandoverTest, a_service_that_speaks_first_keeps_its_visitor) {
  begin_visit();
  tunnel(first()).send(std::string("\0hello", 6), false);
  first().work();
  ASSERT_TRUE(world_.run_until([&] { return visitor_->received == "hello"; }));
  first().say("", true);
  expect_not_handed_over();
}

// --- Go clients -------------------------------------------------------------------------------------------------------

class GoHandoverTest : public HandoverTest {
 protected:
  explicit GoHandoverTest(Handover handover = Handover::safe) : HandoverTest(handover, go_client()) {}
  static wire::Register go_client() { return {.client_id = "a", .version = "1.0", .capabilities = {"tcp", "udp"}}; }

  /// As such a client ends a stream. Takes NewConn off what the client has received.
  std::string conn_close(const std::string& reason) {
    const auto messages = take_messages(tunnel(first()).received, 1);
    EXPECT_EQ(messages.size(), 1U);
    return testing::bytes_of(
        wire::ConnClose{.conn_id = std::get<wire::NewConn>(messages.front()).conn_id, .reason = reason});
  }
  void expect_served_by_go_client(RawClient& client) {
    tunnel(client).send("answer", true);
    client.work();
    EXPECT_TRUE(world_.run_until([&] { return visitor_->ended; }));
    EXPECT_EQ(visitor_->received, "answer");
  }
};

class EagerGoHandoverTest : public GoHandoverTest {
 protected:
  EagerGoHandoverTest() : GoHandoverTest(Handover::eager) {}
};

TEST_F(GoHandoverTest, after_a_failed_dial_another_client_gets_all_that_the_visitor_has_sent) {
  begin_visit();
  send("request");
  tunnel(first()).send(conn_close("dial failed: connection refused"), true);
  first().work();
  expect_handed_over("request");
  expect_served_by_go_client(second());
}

TEST_F(GoHandoverTest, the_report_of_a_failed_dial_may_come_in_pieces) {
  begin_visit();
  send("request");
  const std::string report = conn_close("dial failed: connection refused");
  std::size_t sent = 0;
  for (const std::size_t end : {std::size_t{5}, std::size_t{40}, report.size()}) {
    tunnel(first()).send(report.substr(sent, end - sent), end == report.size());
    first().work();
    world_.run_for(1ms);
    sent = end;
  }
  expect_handed_over("request");
}

TEST_F(GoHandoverTest, a_service_that_closes_without_a_byte_was_reached) {
  begin_visit();
  send("request");
  tunnel(first()).send(conn_close("closed"), true);
  first().work();
  ASSERT_TRUE(world_.run_until([&] { return visitor_->ended; }));
  EXPECT_EQ(visitor_->received, "");
  EXPECT_TRUE(second().tunnels().empty());
}

TEST_F(GoHandoverTest, a_service_cannot_feign_a_failed_dial) {
  begin_visit();
  send("request");
  const std::string feigned = testing::bytes_of(wire::ConnClose{.conn_id = 1, .reason = "dial failed: feigned"});
  tunnel(first()).send(feigned, true);
  first().work();
  ASSERT_TRUE(world_.run_until([&] { return visitor_->ended; }));
  EXPECT_EQ(visitor_->received, feigned);
  EXPECT_TRUE(second().tunnels().empty());
}

TEST_F(GoHandoverTest, a_lost_client_keeps_a_visitor_that_has_sent_something) {
  begin_visit();
  send("request");
  first().say("", true);
  expect_not_handed_over();
}

TEST_F(GoHandoverTest, a_lost_client_loses_no_visitor_that_has_sent_nothing) {
  begin_visit();
  world_.run_for(2 * limits::kGoDialTimeMax);
  first().say("", true);
  expect_handed_over("");
}

TEST_F(GoHandoverTest, once_its_dial_is_over_the_first_byte_binds_a_visitor) {
  begin_visit();
  world_.run_for(2 * limits::kGoDialTimeMax);
  send("request");
  expect_served_by_go_client(first());
}

TEST_F(GoHandoverTest, a_large_request_is_not_held_up) {
  begin_visit();
  visitor_->send(std::string(2 * limits::kVisitorPrefixBytesMax, 'x'));
  EXPECT_TRUE(
      world_.run_until([&] { return tunnel(first()).received.size() > limits::kVisitorPrefixBytesMax + 1000; }, 1s));
  expect_served_by_go_client(first());
}

TEST_F(GoHandoverTest, a_fin_of_the_visitor_is_passed_on_when_the_client_has_been_silent) {
  begin_visit();
  visitor_->finish();
  world_.run_for(limits::kHeldFinSilence - 200ms);
  EXPECT_FALSE(tunnel(first()).ended);
  EXPECT_TRUE(world_.run_until([&] { return tunnel(first()).ended; }, 400ms));
  expect_served_by_go_client(first());
}

TEST_F(GoHandoverTest, an_answer_passes_on_a_held_fin) {
  begin_visit();
  send("request");
  visitor_->finish();
  world_.run_for(100ms);
  tunnel(first()).send("answer" + conn_close("closed"), true);
  first().work();
  EXPECT_TRUE(world_.run_until([&] { return visitor_->ended && tunnel(first()).ended; }));
  EXPECT_EQ(visitor_->received, "answer");
}

TEST_F(GoHandoverTest, a_held_fin_is_handed_over_too) {
  begin_visit();
  send("request");
  visitor_->finish();
  world_.run_for(100ms);
  tunnel(first()).send(conn_close("dial failed: connection refused"), true);
  first().work();
  expect_handed_over("request");
  EXPECT_TRUE(world_.run_until([&] { return tunnel(second()).ended; }, limits::kHeldFinSilence + 1s));
}

TEST_F(EagerGoHandoverTest, a_lost_client_loses_no_visitor_that_has_no_answer_yet) {
  begin_visit();
  send("request");
  world_.run_for(2 * limits::kGoDialTimeMax);
  first().say("", true);
  expect_handed_over("request");
  expect_served_by_go_client(second());
}

TEST_F(EagerGoHandoverTest, an_answer_binds_the_visitor_to_its_client) {
  begin_visit();
  send("request");
  tunnel(first()).send("half", false);
  first().work();
  ASSERT_TRUE(world_.run_until([&] { return visitor_->received == "half"; }));
  first().say("", true);
  expect_not_handed_over();
}

}  // namespace
}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// A client as its server finds it, over a simulated link. The server is the test: it may do what no server should.
#include "tunnel/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "quic/quic_pair.h"
#include "sim/pair.h"
#include "tunnel/fakes/messages.h"
#include "tunnel/fakes/tcp_end.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::bytes_of;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::take_messages;
using testing::TcpEnd;

/// The local service: accepts every connection.
class Service final : public io::TcpListener::Events {
 public:
  explicit Service(sim::SimLoop& loop) : loop_(loop), listener_(*loop.listen_tcp(loop.host().v4(80), false, *this)) {}
  std::deque<TcpEnd> guests;

 private:
  void accepted(io::TcpHandle handle, const Address& /*remote*/, const Address& /*local*/) override {
    guests.emplace_back(loop_.adopt_tcp(std::move(handle)));
  }
  sim::SimLoop& loop_;
  std::unique_ptr<io::TcpListener> listener_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    EXPECT_TRUE(server_.endpoint->listen(world_.b_host.v4(4433), false, server_));
    ClientOptions options{
        .client_id = "a",
        .servers = {{.address = {.host = world_.b_host.v4(0).host_text(), .port = 4433}, .server_name = "server.test"}},
        .local_service = {.address = {.host = world_.a_host.v4(0).host_text(), .port = 80}},
        .credentials = client_credentials_};
    client_ = std::make_unique<Client>(std::move(options), std::vector<io::EventLoop*>{&world_.a},
                                       [this] { client_stopped_ = true; });
    client_->start();
  }

  /// What the client registers with on the connection that is newest now.
  std::optional<wire::Register> await_register() {
    std::vector<wire::Message> messages;
    const bool heard = world_.run_until([&] {
      if (!server_.accepted.empty()) messages = take_messages(server_.accepted.back().received, 1);
      return !messages.empty();
    });
    if (!heard || !std::holds_alternative<wire::Register>(messages[0])) return std::nullopt;
    return std::get<wire::Register>(messages[0]);
  }
  void answer(bool success, const std::string& message = {}) {
    server_.accepted.back().send(
        bytes_of(wire::RegisterAck{.success = success, .message = message, .capabilities = {"conn-ack", "drain"}}),
        false);
    server_.loop.request_pass();
  }
  void let_in() {
    ASSERT_TRUE(await_register());
    answer(true);
    ASSERT_TRUE(world_.run_until([&] { return link().is_registered(); }));
  }
  void lose_connection() {
    server_.connection->close(quic::ErrorCode::shutdown, "lost");
    server_.loop.request_pass();
    ASSERT_TRUE(world_.run_until([&] { return !link().is_registered(); }));
  }
  /// On the control stream: the server has nothing left to carry.
  void say_idle() {
    server_.accepted.front().send(bytes_of(wire::GoAway{.idle = true, .tunnels = tunnels_.size()}), false);
    server_.loop.request_pass();
  }
  quic::TestStream& open_stream(const std::string& bytes) {
    auto& tunnel = tunnels_.emplace_back(*server_.connection->open_stream());
    tunnel.send(bytes, false);
    server_.loop.request_pass();
    return tunnel;
  }
  quic::TestStream& open_tunnel(bool ack = true) {
    return open_stream(bytes_of(wire::NewConn{.conn_id = 7,
                                              .protocol = "tcp",
                                              .source_addr = "192.0.2.1:1",
                                              .dest_addr = "192.0.2.2:2",
                                              .timestamp = 0,
                                              .ack = ack}));
  }
  void expect_reset(quic::TestStream& tunnel, quic::ErrorCode code, Duration within = 5s) {
    ASSERT_TRUE(world_.run_until([&] { return tunnel.reset.has_value(); }, within));
    EXPECT_EQ(*tunnel.reset, static_cast<std::uint64_t>(code));
    EXPECT_TRUE(tunnel.received.empty());
  }
  [[nodiscard]] const ServerLink& link() const { return *client_->worker(0).links()[0]; }
  [[nodiscard]] const Counters& counters() const { return client_->worker(0).state().counters; }

  sim::Pair world_;
  std::shared_ptr<const quic::Credentials> server_credentials_ =
      quic::load_credentials("server", "ca", quic::Credentials::Purpose::server);
  std::shared_ptr<const quic::Credentials> client_credentials_ =
      quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);
  quic::Side server_{world_.b, server_credentials_, {}};
  std::deque<quic::TestStream> tunnels_;
  bool client_stopped_ = false;
  std::unique_ptr<Client> client_;
};

// --- registration --------------------------------------------------------------------------------------------------------

TEST_F(ClientTest, introduces_itself) {
  const auto introduction = await_register();
  ASSERT_TRUE(introduction);
  EXPECT_EQ(introduction->client_id, "a");
  EXPECT_EQ(introduction->version, "1.0");
  EXPECT_TRUE(introduction->can("tcp"));
  EXPECT_TRUE(introduction->can("conn-ack"));
  EXPECT_EQ(introduction->instance.size(), 32U);
  EXPECT_EQ(introduction->slot, 0U);
}

TEST_F(ClientTest, comes_back_at_once_with_a_higher_epoch_after_a_loss) {
  const auto first = await_register();
  answer(true);
  ASSERT_TRUE(world_.run_until([&] { return link().is_registered(); }));
  lose_connection();
  const Time lost = world_.a.now();
  const auto second = await_register();
  ASSERT_TRUE(first && second);
  EXPECT_LT(world_.a.now() - lost, 100ms);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_EQ(second->instance, first->instance);
}

TEST_F(ClientTest, asks_a_server_that_refuses_ever_less_often) {
  std::vector<Time> attempts;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(await_register());
    attempts.push_back(world_.a.now());
    answer(false, "not you");
  }
  EXPECT_LT(attempts[1] - attempts[0], 200ms);
  EXPECT_GT(attempts[5] - attempts[4], 1500ms);
  EXPECT_LT(attempts[5] - attempts[4], 8s);
}

TEST_F(ClientTest, leaves_a_server_that_says_what_is_no_message) {
  ASSERT_TRUE(await_register());
  server_.accepted.back().send("HTTP/1.1 400 Bad Request\r\n", false);
  server_.loop.request_pass();
  ASSERT_TRUE(world_.run_until([&] { return server_.cause.has_value(); }));
  EXPECT_EQ(server_.cause->code, static_cast<std::uint64_t>(quic::ErrorCode::refused));
}

TEST_F(ClientTest, leaves_a_server_that_falls_silent_while_its_quic_still_answers) {
  let_in();
  EXPECT_FALSE(world_.run_until([&] { return server_.cause.has_value(); }, 29s));
  EXPECT_TRUE(world_.run_until([&] { return server_.cause.has_value(); }, 2s));
}

// --- tunnels -------------------------------------------------------------------------------------------------------------

TEST_F(ClientTest, joins_a_stream_to_the_service_and_says_so_first) {
  Service service(world_.a);
  let_in();
  quic::TestStream& tunnel = open_tunnel();
  tunnel.send("hello", false);
  server_.loop.request_pass();
  ASSERT_TRUE(world_.run_until([&] { return !service.guests.empty() && service.guests[0].received == "hello"; }));
  service.guests[0].send("world");
  EXPECT_TRUE(world_.run_until([&] { return tunnel.received == std::string("\0world", 6); }));
}

TEST_F(ClientTest, says_nothing_of_its_own_to_who_did_not_ask) {
  Service service(world_.a);
  let_in();
  quic::TestStream& tunnel = open_tunnel(false);
  ASSERT_TRUE(world_.run_until([&] { return !service.guests.empty(); }));
  service.guests[0].send("world");
  EXPECT_TRUE(world_.run_until([&] { return tunnel.received == "world"; }));
}

TEST_F(ClientTest, a_stream_that_overtakes_the_answer_to_register_is_served) {
  Service service(world_.a);
  ASSERT_TRUE(await_register());
  open_tunnel();
  world_.run_for(100ms);
  EXPECT_TRUE(service.guests.empty());
  answer(true);
  EXPECT_TRUE(world_.run_until([&] { return service.guests.size() == 1; }));
}

TEST_F(ClientTest, a_failed_dial_resets_the_stream) {
  let_in();
  expect_reset(open_tunnel(), quic::ErrorCode::dial_failed);
  EXPECT_EQ(counters().dials_failed, 1U);
  EXPECT_TRUE(link().is_registered());
}

TEST_F(ClientTest, a_stream_without_a_request_is_reset_and_nothing_else) {
  let_in();
  expect_reset(open_stream("GET / HTTP/1.1\r\n\r\n"), quic::ErrorCode::internal);
  expect_reset(open_stream(bytes_of(wire::Heartbeat{})), quic::ErrorCode::internal);
  expect_reset(open_stream("\x04"), quic::ErrorCode::internal, limits::kNewConnTimeMax + 1s);
  EXPECT_EQ(counters().requests_malformed, 3U);
  EXPECT_TRUE(link().is_registered());
}

TEST_F(ClientTest, losing_the_connection_resets_the_services_side) {
  Service service(world_.a);
  let_in();
  open_tunnel();
  ASSERT_TRUE(world_.run_until([&] { return !service.guests.empty(); }));
  lose_connection();
  EXPECT_TRUE(world_.run_until([&] { return service.guests[0].reset; }));
  EXPECT_FALSE(service.guests[0].ended);
  EXPECT_EQ(counters().tunnels_opened, counters().tunnels_closed_in_all());
}

TEST_F(ClientTest, every_stream_is_accounted_for) {
  let_in();
  open_tunnel();
  open_stream("garbage and more garbage");
  world_.run_for(1s);
  {
    Service service(world_.a);
    open_tunnel();
    ASSERT_TRUE(world_.run_until([&] { return !service.guests.empty(); }));
    lose_connection();
  }
  EXPECT_EQ(counters().streams_accepted, 3U);
  EXPECT_EQ(counters().streams_accepted, counters().tunnels_opened + counters().dials_failed +
                                             counters().requests_malformed + counters().requests_lost);
}

TEST_F(ClientTest, a_stream_before_the_answer_to_register_is_accounted_for_when_the_connection_ends) {
  ASSERT_TRUE(await_register());
  open_tunnel();
  world_.run_for(100ms);
  EXPECT_EQ(counters().streams_accepted, 0U);
  server_.connection->close(quic::ErrorCode::shutdown, "lost");
  server_.loop.request_pass();
  ASSERT_TRUE(world_.run_until([&] { return counters().requests_lost > 0; }));
  EXPECT_EQ(counters().streams_accepted, 1U);
  EXPECT_EQ(counters().requests_lost, 1U);
}

// --- what it says ------------------------------------------------------------------------------------------------------------

/// What is logged meanwhile.
std::string logged(const std::function<void()>& act) {
  ::testing::internal::CaptureStderr();
  act();
  return ::testing::internal::GetCapturedStderr();
}

TEST_F(ClientTest, is_ready_only_when_a_server_has_accepted_it) {
  const std::string before = logged([&] { EXPECT_TRUE(await_register()); });
  EXPECT_THAT(before, AllOf(HasSubstr("info connecting server="), HasSubstr("timeout_ms=5000")));
  EXPECT_THAT(before, Not(HasSubstr("client ready")));
  const std::string after = logged([&] {
    answer(true);
    EXPECT_TRUE(world_.run_until([&] { return link().is_registered(); }));
  });
  EXPECT_THAT(after, AllOf(HasSubstr("server connected"), HasSubstr("client ready client_id=a")));
}

TEST_F(ClientTest, is_called_ready_once) {
  let_in();
  const std::string log = logged([&] {
    lose_connection();
    let_in();
  });
  EXPECT_THAT(log, AllOf(HasSubstr("server connected"), Not(HasSubstr("client ready"))));
}

TEST_F(ClientTest, says_what_an_attempt_that_takes_long_waits_for) {
  EXPECT_THAT(
      logged([&] {
        EXPECT_TRUE(await_register());
        world_.run_for(2s);
      }),
      ContainsRegex("info still connecting server=.* address=.* waiting_for=\"the answer to the registration\""));
  world_.b_host.set_dark(true);
  client_->stop();
  world_.run_for(2s);
  EXPECT_TRUE(client_stopped_);
}

TEST_F(ClientTest, says_that_a_port_is_closed_and_tries_on) {
  server_.endpoint.reset();
  const std::string log = logged([&] { world_.run_for(2500ms); });
  EXPECT_THAT(log,
              ContainsRegex("server not reached server=.* address=.* cause=\"connection refused: no program listens on "
                            "that UDP port\" retry_in_ms="));
  EXPECT_THAT(log, Not(HasSubstr("still connecting")));
}

// --- stopping ------------------------------------------------------------------------------------------------------------

TEST_F(ClientTest, an_orderly_stop_lets_the_server_know_and_ends_soon) {
  let_in();
  client_->stop();
  say_idle();
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, limits::kStopTimeMax));
  ASSERT_TRUE(server_.cause);
  EXPECT_TRUE(server_.cause->orderly());
}

TEST_F(ClientTest, asks_for_no_more_visitors_when_it_is_to_stop_and_serves_those_it_has) {
  Service service(world_.a);
  let_in();
  quic::TestStream& tunnel = open_tunnel();
  ASSERT_TRUE(world_.run_until([&] { return tunnel.received == std::string(1, '\0'); }));
  server_.accepted.back().received.clear();
  client_->stop();
  ASSERT_TRUE(world_.run_until([&] { return !server_.accepted.back().received.empty(); }, 200ms));
  const auto said = take_messages(server_.accepted.back().received, 1);
  EXPECT_TRUE(std::holds_alternative<wire::GoAway>(said.front()));
  world_.run_for(5s);
  EXPECT_FALSE(client_stopped_);
  tunnel.send("", true);
  service.guests[0].finish();
  server_.loop.request_pass();
  // The server's visitor may read more slowly than the client sends.
  world_.run_for(5s);
  EXPECT_FALSE(client_stopped_);
  say_idle();
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, 200ms));
}

TEST_F(ClientTest, takes_no_goodbye_of_a_server_that_it_is_not_registered_with) {
  ASSERT_TRUE(await_register());
  world_.run_for(1400ms);
  server_.accepted.back().send(bytes_of(wire::GoAway{.reason = "stop"}), false);
  server_.loop.request_pass();
  EXPECT_TRUE(world_.run_until([&] { return server_.cause.has_value(); }, 500ms));
  EXPECT_FALSE(server_.cause->orderly());
  world_.run_for(5s);
  EXPECT_EQ(counters().protocol_errors, 1U);
}

TEST_F(ClientTest, does_not_register_once_it_is_to_stop) {
  ASSERT_TRUE(await_register());
  client_->stop();
  answer(true);
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, 100ms));
  EXPECT_TRUE(client_->worker(0).links().empty());
}

TEST_F(ClientTest, waits_for_no_server_that_is_silent_when_it_is_to_stop) {
  let_in();
  world_.b_host.set_dark(true);
  client_->stop();
  world_.run_for(limits::kDrainSilenceTimeMax - 100ms);
  EXPECT_FALSE(client_stopped_);
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, limits::kStopTimeMax + 200ms));
}

TEST_F(ClientTest, looks_for_the_server_again_when_it_is_to_stop_and_keeps_its_tunnels) {
  Service service(world_.a);
  let_in();
  quic::TestStream& tunnel = open_tunnel();
  ASSERT_TRUE(world_.run_until([&] { return tunnel.received == std::string(1, '\0'); }));
  quic::TestStream& control = server_.accepted.back();
  const std::size_t before = server_.accepted.size();
  control.send(bytes_of(wire::GoAway{.reason = "the server is stopping"}), false);
  server_.loop.request_pass();
  ASSERT_TRUE(world_.run_until([&] { return server_.accepted.size() == before + 1; }, 1s));
  answer(true);
  EXPECT_TRUE(world_.run_until([&] { return link().is_registered(); }));
  tunnel.send("still there", false);
  server_.loop.request_pass();
  EXPECT_TRUE(world_.run_until([&] { return service.guests[0].received == "still there"; }));
}

TEST_F(ClientTest, stops_at_once_while_a_server_does_not_answer) {
  server_.endpoint.reset();
  EXPECT_FALSE(world_.run_until([&] { return client_stopped_; }, 2s));
  client_->stop();
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, 10ms));
}

TEST_F(ClientTest, stops_at_once_between_two_attempts) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    ASSERT_TRUE(await_register());
    answer(false, "no");
    ASSERT_TRUE(world_.run_until([&] { return server_.connection == nullptr; }));
    server_.accepted.clear();
  }
  client_->stop();
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, 10ms));
}

TEST_F(ClientTest, stops_in_the_middle_of_anything) {
  client_->stop();
  EXPECT_TRUE(world_.run_until([&] { return client_stopped_; }, limits::kStopTimeMax + 1s));
}

}  // namespace
}  // namespace qmux::tunnel

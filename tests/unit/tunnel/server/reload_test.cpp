// SPDX-License-Identifier: MIT
//
// Server::reload(): what has changed takes effect, and nothing else notices.
#include <gtest/gtest.h>

#include <memory>
#include <variant>
#include <vector>

#include "tunnel/server/server_fixture.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::RawClient;
using testing::ServerTest;
using testing::TcpEnd;

class Reload : public ServerTest, public ::testing::WithParamInterface<std::size_t> {
 protected:
  Reload() : ServerTest(GetParam()) {}

  /// What the server was started with.
  [[nodiscard]] ServerOptions present() const {
    ServerOptions options;
    options.listeners.push_back({.quic_address = world_.b_host.v4(4433), .traffic_address = world_.b_host.v4(8080)});
    options.credentials = server_credentials_;
    return options;
  }
  [[nodiscard]] ListenerOptions another(std::uint16_t number = 1) const {
    return {.quic_address = world_.b_host.v4(static_cast<std::uint16_t>(4433 + number)),
            .traffic_address = world_.b_host.v4(static_cast<std::uint16_t>(8080 + number))};
  }
  std::unique_ptr<TcpEnd> visit(std::uint16_t port) {
    return std::make_unique<TcpEnd>(*world_.a.connect_tcp(world_.b_host.v4(port)));
  }
  /// Whether a visitor there comes to the client; it stays.
  [[nodiscard]] bool serves(std::uint16_t port, RawClient& client) {
    const std::size_t before = client.tunnels().size();
    visitors_.push_back(visit(port));
    return world_.run_until([&] { return client.tunnels().size() == before + 1; }, 2s);
  }
  [[nodiscard]] bool refuses(std::uint16_t port) {
    const Knock knock(*world_.a.connect_tcp(world_.b_host.v4(port)));
    return world_.run_until([&] { return knock.refused; }, 2s);
  }
  /// Each worker is in a pass then, which ends.
  auto reload(ServerOptions options) {
    auto done = server_->reload(std::move(options));
    world_.b.request_pass();
    for (const auto& loop : more_workers_) loop->request_pass();
    return done;
  }

  std::vector<std::unique_ptr<TcpEnd>> visitors_;

 private:
  /// A visitor that is refused: there is no listener, or it is reset at once.
  struct Knock final : io::TcpSocketEvents {
    explicit Knock(std::unique_ptr<io::TcpSocket> its_socket) : socket(std::move(its_socket)) {
      socket->watch(io::Interest::read | io::Interest::write, this);
    }
    void socket_readable() override { refused = true; }
    void socket_writable() override { refused = refused || socket->connect_error().has_value(); }
    void socket_reset() override { refused = true; }

    std::unique_ptr<io::TcpSocket> socket;
    bool refused = false;
  };
};

INSTANTIATE_TEST_SUITE_P(Workers, Reload, ::testing::Values(1, 3));

TEST_P(Reload, the_same_options_change_nothing) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  const auto done = reload(present());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->added + done->removed + done->moved, 0U);
  EXPECT_TRUE(serves(8080, client));
  EXPECT_TRUE(client.hear().empty());
  EXPECT_FALSE(visitors_.front()->reset);
}

TEST_P(Reload, a_new_listener_serves_and_one_that_is_gone_drains) {
  auto introduction = good();
  introduction.capabilities.emplace_back(wire::capability::kDrain);
  RawClient& client = add_registered_client(introduction);
  ASSERT_TRUE(serves(8080, client));
  ServerOptions options = present();
  options.listeners = {another()};
  const auto done = reload(options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->added, 1U);
  EXPECT_EQ(done->removed, 1U);
  EXPECT_TRUE(refuses(8080));
  std::vector<wire::Message> heard;
  ASSERT_TRUE(world_.run_until([&] { return !(heard = client.hear()).empty(); }));
  EXPECT_TRUE(std::holds_alternative<wire::GoAway>(heard.front()));
  EXPECT_FALSE(world_.run_until([&] { return visitors_.front()->reset || client.cause().has_value(); }, 5s));
  // Its last visitor goes, and with it the listener.
  visitors_.clear();
  client.tunnels().front().stream->reset(quic::ErrorCode::shutdown);
  std::exchange(client.tunnels().front().stream, nullptr)->release();
  client.work();
  client.say(wire::GoAway{.idle = true, .tunnels = 1});
  expect_closed(client, quic::ErrorCode::shutdown);
  world_.run_for(2s);
  ASSERT_TRUE(reload(present())) << "its addresses are free";
  EXPECT_EQ(server_->worker_count(), GetParam());
}

TEST_P(Reload, a_listener_that_drains_can_come_back) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  ServerOptions without = present();
  without.listeners = {another()};
  ASSERT_TRUE(reload(without));
  ASSERT_TRUE(refuses(8080));
  const auto done = reload(present());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->added, 1U);
  auto introduction = good();
  introduction.instance = "j";
  RawClient& newcomer = add_registered_client(introduction);
  EXPECT_TRUE(serves(8080, newcomer));
  EXPECT_FALSE(visitors_.front()->reset);
}

TEST_P(Reload, an_address_in_use_leaves_everything_as_it_was) {
  RawClient& client = add_registered_client();
  sim::SimLoop other(world_.b_host, "another program");
  struct Nobody final : io::TcpListener::Events {
    void accepted(io::TcpHandle, const Address&, const Address&) override {}
  } nobody;
  const auto taken = other.listen_tcp(world_.b_host.v4(8082), false, nobody);
  ASSERT_TRUE(taken);
  ServerOptions options = present();
  options.listeners.front().traffic_address = another(3).traffic_address;
  options.listeners.push_back(another(1));
  options.listeners.push_back(another(2));
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(reload(options));
    EXPECT_TRUE(serves(8080, client));
    EXPECT_TRUE(refuses(8083));
    EXPECT_TRUE(refuses(8081));
  }
  options.listeners.pop_back();
  EXPECT_TRUE(reload(options));
  EXPECT_TRUE(serves(8083, client));
}

TEST_P(Reload, visitors_come_to_another_address) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  ServerOptions options = present();
  options.listeners.front().traffic_address = world_.b_host.v4(9090);
  const auto done = reload(options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->moved, 1U);
  EXPECT_TRUE(serves(9090, client));
  EXPECT_TRUE(refuses(8080));
  EXPECT_FALSE(visitors_.front()->reset);
}

TEST_P(Reload, a_new_listener_takes_over_the_address_of_one_that_goes) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  ServerOptions options = present();
  options.listeners.front().quic_address = another().quic_address;
  ASSERT_TRUE(reload(options));
  const auto visitor = visit(8080);
  EXPECT_FALSE(world_.run_until([&] { return client.tunnels().size() > 1 || visitor->reset; }, 1s));
  EXPECT_FALSE(visitors_.front()->reset);
}

TEST_P(Reload, limits_are_in_force_at_once) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  ServerOptions options = present();
  options.listeners.front().visitors.visitors_max = 1;
  ASSERT_TRUE(reload(options));
  EXPECT_TRUE(refuses(8080));
  options.listeners.front().visitors.visitors_max = 2;
  ASSERT_TRUE(reload(options));
  EXPECT_TRUE(serves(8080, client));
}

TEST_P(Reload, another_health_timeout_holds_for_clients_that_are_there) {
  RawClient& client = add_registered_client();  // which sends no heartbeats
  ServerOptions options = present();
  options.health = {.heartbeat_interval = 1s, .timeout = 2s};
  ASSERT_TRUE(reload(options));
  EXPECT_FALSE(world_.run_until([&] { return client.cause().has_value(); }, 1500ms));
  EXPECT_TRUE(world_.run_until([&] { return client.cause().has_value(); }, 1500ms));
}

TEST_P(Reload, connections_from_then_on_see_the_new_certificate) {
  RawClient& client = add_registered_client();
  ServerOptions options = present();
  options.credentials = quic::load_credentials("nameless_server", "ca", quic::Credentials::Purpose::server);
  ASSERT_TRUE(reload(options));
  server_credentials_.reset();  // the connection keeps what it began with
  EXPECT_TRUE(serves(8080, client));
  RawClient& later = begin_client();
  ASSERT_TRUE(world_.run_until([&] { return later.cause().has_value(); }));
  EXPECT_EQ(later.cause()->kind, quic::CloseCause::Kind::certificate);
}

TEST_P(Reload, a_stop_ends_listeners_that_drain_too) {
  RawClient& client = add_registered_client();
  ASSERT_TRUE(serves(8080, client));
  ServerOptions options = present();
  options.listeners = {another()};
  options.drain_timeout = 2s;
  ASSERT_TRUE(reload(options));
  server_->stop();
  EXPECT_TRUE(world_.run_until([&] { return server_stopped_; }, 4s));
  EXPECT_TRUE(visitors_.front()->reset);
}

}  // namespace
}  // namespace qmux::tunnel

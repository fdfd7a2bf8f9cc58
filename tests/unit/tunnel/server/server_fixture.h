// SPDX-License-Identifier: MIT
//
// A server over simulated links, with clients and visitors that are the test: they may do what none should.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quic/quic_pair.h"
#include "sim/pair.h"
#include "tunnel/fakes/messages.h"
#include "tunnel/fakes/tcp_end.h"
#include "tunnel/server/server.h"

namespace qmux::testing {

using namespace std::chrono_literals;

/// A client without manners, on the host of the visitors.
class RawClient {
 public:
  RawClient(sim::SimLoop& loop, std::shared_ptr<const quic::Credentials> credentials,
            const quic::TransportConfig& transport)
      : side_(loop, std::move(credentials), transport) {}

  void connect(const Address& server) {
    auto made = side_.endpoint->connect(server, "server.test", {}, side_);
    ASSERT_TRUE(made);
    side_.connection = *made;
    side_.loop.request_pass();
  }
  [[nodiscard]] bool established() const { return side_.is_established; }
  void open_control() { control_ = std::make_unique<quic::TestStream>(*side_.connection->open_stream()); }
  void say(const std::string& bytes, bool fin = false) {
    control_->send(bytes, fin);
    side_.loop.request_pass();
  }
  void say(const wire::Message& message) { say(bytes_of(message)); }
  /// What the server has said on the control stream since the last call, but for heartbeats.
  std::vector<wire::Message> hear() {
    if (!control_) return {};
    auto messages = take_messages(control_->received);
    std::erase_if(messages, [](const auto& each) { return std::holds_alternative<wire::Heartbeat>(each); });
    return messages;
  }
  quic::TestStream& open_another_stream() {
    auto& stream = others_.emplace_back(*side_.connection->open_stream());
    stream.send("x", false);
    side_.loop.request_pass();
    return stream;
  }
  [[nodiscard]] std::deque<quic::TestStream>& tunnels() { return side_.accepted; }
  [[nodiscard]] const std::optional<quic::CloseCause>& cause() const { return side_.cause; }
  void work() { side_.loop.request_pass(); }

 private:
  quic::Side side_;
  std::unique_ptr<quic::TestStream> control_;
  std::deque<quic::TestStream> others_;
};

class ServerTest : public ::testing::Test {
 protected:
  explicit ServerTest(std::size_t workers = 1, tunnel::Balance balance = tunnel::Balance::least_connections,
                      tunnel::Handover handover = tunnel::Handover::safe) {
    std::vector<io::EventLoop*> worker_loops{&world_.b};
    while (worker_loops.size() < workers) {
      more_workers_.push_back(std::make_unique<sim::SimLoop>(world_.b_host, "worker"));
      worker_loops.push_back(more_workers_.back().get());
    }
    tunnel::ServerOptions options;
    options.listeners.push_back(
        {.quic_address = world_.b_host.v4(4433), .traffic_address = world_.b_host.v4(8080), .handover = handover});
    options.credentials = server_credentials_;
    options.balance = balance;
    server_ = std::make_unique<tunnel::Server>(std::move(options), worker_loops, [this] { server_stopped_ = true; });
    EXPECT_TRUE(server_->start());
  }

  /// A loop serves one client alone: each has a host of its own.
  RawClient& begin_client(std::uint64_t streams_max = 100) {
    sim::Host& host = world_.world.network().add_host("client" + std::to_string(clients_.size()));
    links_.push_back(
        {&world_.world.network().link(host, world_.b_host), &world_.world.network().link(world_.b_host, host)});
    loops_.push_back(std::make_unique<sim::SimLoop>(host, "client"));
    quic::TransportConfig transport;
    transport.incoming_streams_max = streams_max;
    clients_.push_back(std::make_unique<RawClient>(*loops_.back(), client_credentials_, transport));
    RawClient& client = *clients_.back();
    client.connect(server_->quic_address(0));
    return client;
  }
  RawClient& add_client(std::uint64_t streams_max = 100) {
    RawClient& client = begin_client(streams_max);
    EXPECT_TRUE(world_.run_until([&] { return client.established(); }));
    client.open_control();
    return client;
  }
  /// Everything between that client and the server is lost from now on; arrives again.
  void cut_off(std::size_t client) { set_up(client, false); }
  void reconnect(std::size_t client) { set_up(client, true); }
  void set_up(std::size_t client, bool up) {
    for (sim::Link* const link : links_[client]) link->set_blocked(!up);
  }
  RawClient& add_registered_client(wire::Register introduction = good(), std::uint64_t streams_max = 100) {
    RawClient& client = add_client(streams_max);
    client.say(introduction);
    const auto answer = answer_to(client);
    EXPECT_TRUE(answer && answer->success);
    return client;
  }
  static wire::Register good() {
    return {.client_id = "a",
            .version = "1.0",
            .capabilities = {"tcp", "conn-ack"},
            .instance = "i",
            .slot = 0,
            .epoch = 1};
  }
  std::optional<wire::RegisterAck> answer_to(RawClient& client) {
    std::vector<wire::Message> heard;
    if (!world_.run_until([&] { return !(heard = client.hear()).empty(); })) return std::nullopt;
    const auto* const answer = std::get_if<wire::RegisterAck>(&heard.front());
    return answer != nullptr ? std::optional(*answer) : std::nullopt;
  }
  void expect_closed(RawClient& client, quic::ErrorCode code, Duration within = 5s) {
    ASSERT_TRUE(world_.run_until([&] { return client.cause().has_value(); }, within));
    EXPECT_EQ(client.cause()->kind, quic::CloseCause::Kind::peer_application);
    EXPECT_EQ(client.cause()->code, static_cast<std::uint64_t>(code)) << client.cause()->text;
  }
  std::unique_ptr<TcpEnd> visit() {
    return std::make_unique<TcpEnd>(*world_.a.connect_tcp(server_->traffic_address(0)));
  }
  [[nodiscard]] const tunnel::Counters& counters(std::size_t worker = 0) const {
    return server_->worker(worker).counters;
  }

  sim::Pair world_;
  std::shared_ptr<const quic::Credentials> server_credentials_ =
      quic::load_credentials("server", "ca", quic::Credentials::Purpose::server);
  std::shared_ptr<const quic::Credentials> client_credentials_ =
      quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);
  bool server_stopped_ = false;
  std::vector<std::unique_ptr<sim::SimLoop>> more_workers_;
  std::unique_ptr<tunnel::Server> server_;
  std::vector<std::unique_ptr<sim::SimLoop>> loops_;
  std::vector<std::array<sim::Link*, 2>> links_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

}  // namespace qmux::testing

// SPDX-License-Identifier: MIT
//
// A client and several servers, each on a host of its own; a name of the simulated network stands for those that a test says. The
// local service answers every visitor with its own name.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "quic/quic_pair.h"
#include "sim/world/host.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"
#include "sim/world/world.h"
#include "tunnel/client/client.h"
#include "tunnel/fakes/tcp_end.h"
#include "tunnel/server/server.h"

namespace qmux::testing {

/// What is logged meanwhile.
inline std::string logged(const std::function<void()>& act) {
  ::testing::internal::CaptureStderr();
  act();
  return ::testing::internal::GetCapturedStderr();
}

class Cluster : public ::testing::Test {
 protected:
  static constexpr std::uint16_t kQuicPort = 4433;
  static constexpr std::uint16_t kTrafficPort = 8080;
  static constexpr Duration kDrainTimeout = std::chrono::seconds(20);

  /// Greets every guest with its name, and ends when the guest does.
  class Service final : public io::TcpListener::Events {
   public:
    Service(sim::SimLoop& loop, std::uint16_t port, std::string name)
        : loop_(loop), name_(std::move(name)), listener_(*loop.listen_tcp(loop.host().v4(port), false, *this)) {}
    std::deque<TcpEnd> guests;

   private:
    void accepted(io::TcpHandle handle, const Address& /*remote*/, const Address& /*local*/) override {
      guests.emplace_back(loop_.adopt_tcp(std::move(handle))).send(name_);
    }
    sim::SimLoop& loop_;
    const std::string name_;
    std::unique_ptr<io::TcpListener> listener_;
  };

  struct Node {
    sim::Host* host = nullptr;
    std::unique_ptr<sim::SimLoop> loop;
    std::unique_ptr<tunnel::Server> server;
  };

  explicit Cluster(std::size_t workers = 1) {
    for (std::size_t i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<sim::SimLoop>(client_host_, "client" + std::to_string(i)));
    }
  }

  /// Of `count` hosts, that many servers run.
  void add_servers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) start(add_host());
  }
  std::size_t add_host() {
    Node& node = nodes_.emplace_back();
    node.host = &world_.network().add_host("server" + std::to_string(nodes_.size()));
    node.loop = std::make_unique<sim::SimLoop>(*node.host, "server");
    return nodes_.size() - 1;
  }
  void start(std::size_t index, const std::string& trust = "ca") {
    Node& node = nodes_[index];
    tunnel::ServerOptions options;
    options.listeners.push_back({.quic_address = node.host->v4(kQuicPort),
                                 .traffic_address = node.host->v4(kTrafficPort),
                                 .wait_for_client = std::chrono::milliseconds(200)});
    options.credentials = quic::load_credentials("server", trust, quic::Credentials::Purpose::server);
    node.server =
        std::make_unique<tunnel::Server>(std::move(options), std::vector<io::EventLoop*>{node.loop.get()}, [] {});
    ASSERT_TRUE(node.server->start());
  }
  /// It vanishes, as a machine does that loses its power.
  void kill(std::size_t index) {
    nodes_[index].host->set_dark(true);
    nodes_[index].server.reset();
  }
  [[nodiscard]] Address quic_address(std::size_t index) const { return nodes_[index].host->v4(kQuicPort); }
  /// The name stands for these servers, in this order.
  void set_name(const std::string& name, const std::vector<std::size_t>& indexes) {
    std::vector<Address> addresses;
    for (const std::size_t index : indexes) addresses.push_back(quic_address(index));
    world_.network().set_name(name, std::move(addresses));
  }
  static tunnel::ServerEntry named(const std::string& name, bool all_addresses = false) {
    return {.address = {.host = name, .port = kQuicPort}, .server_name = "server.test", .all_addresses = all_addresses};
  }
  [[nodiscard]] tunnel::ServerEntry entry(std::size_t index) const {
    return named(nodes_[index].host->v4(0).host_text());
  }
  [[nodiscard]] tunnel::ClientOptions options(std::vector<tunnel::ServerEntry> servers) const {
    return {.client_id = "a",
            .servers = std::move(servers),
            .local_service = {.address = {.host = client_host_.v4(0).host_text(), .port = 80}},
            .credentials = client_credentials_,
            .drain_timeout = kDrainTimeout};
  }
  void start_client(tunnel::ClientOptions options) {
    std::vector<io::EventLoop*> loops;
    for (const auto& loop : workers_) loops.push_back(loop.get());
    client_ = std::make_unique<tunnel::Client>(std::move(options), loops, [this] { client_stopped_ = true; });
    client_->start();
  }

  [[nodiscard]] std::size_t registered(std::size_t index) const { return nodes_[index].server->pool(0).size(); }
  /// Registered at each of these servers alone, with one connection each.
  [[nodiscard]] bool serves_exactly(const std::vector<std::size_t>& indexes) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const bool wanted = std::ranges::find(indexes, i) != indexes.end();
      if (nodes_[i].server != nullptr && nodes_[i].server->pool(0).size() != (wanted ? 1U : 0U)) return false;
    }
    return true;
  }
  bool run_until(const std::function<bool()>& done, Duration within) { return world_.run_until(done, within); }
  [[nodiscard]] std::vector<const tunnel::ServerLink*> links() const {
    std::vector<const tunnel::ServerLink*> all;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      for (const auto& link : client_->worker(i).links()) all.push_back(link.get());
    }
    return all;
  }
  [[nodiscard]] std::uint64_t handshakes_begun() const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < workers_.size(); ++i)
      count += client_->worker(i).state().counters.quic.handshakes_begun;
    return count;
  }
  /// A visitor of that server, once it has the service's greeting.
  TcpEnd& visit(std::size_t index, const std::string& greeting = "one") {
    TcpEnd& visitor = visitors_.emplace_back(*visitors_loop_.connect_tcp(nodes_[index].server->traffic_address(0)));
    EXPECT_TRUE(run_until([&] { return visitor.received == greeting || visitor.reset; }, std::chrono::seconds(5)));
    EXPECT_EQ(visitor.received, greeting);
    return visitor;
  }

  sim::World world_{1};
  sim::Host& client_host_ = world_.network().add_host("client");
  sim::Host& visitors_host_ = world_.network().add_host("visitors");
  std::vector<std::unique_ptr<sim::SimLoop>> workers_;
  sim::SimLoop service_loop_{client_host_, "service"};
  sim::SimLoop visitors_loop_{visitors_host_, "visitors"};
  std::shared_ptr<const quic::Credentials> client_credentials_ =
      quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);
  Service service_{service_loop_, 80, "one"};
  std::deque<Node> nodes_;
  std::deque<TcpEnd> visitors_;
  bool client_stopped_ = false;
  std::unique_ptr<tunnel::Client> client_;
};

}  // namespace qmux::testing

// SPDX-License-Identifier: MIT
//
// A whole server and a whole client, one worker each, with hosts of their own on a simulated network. The local service and the
// visitors, which a test brings, have loops on the client's host and on a third one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "quic/quic_pair.h"
#include "sim/world/host.h"
#include "sim/world/link.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"
#include "sim/world/world.h"
#include "tunnel/client/client.h"
#include "tunnel/server/server.h"

namespace qmux::testing {

class WholeTunnel : public ::testing::Test {
 protected:
  void set_paths(const sim::LinkProperties& to_server, const sim::LinkProperties& to_client) {
    world_.network().link(client_host_, server_host_).properties() = to_server;
    world_.network().link(server_host_, client_host_).properties() = to_client;
  }
  /// Everything between the server and the client is lost; arrives again.
  void set_silent(bool silent) {
    world_.network().link(client_host_, server_host_).set_blocked(silent);
    world_.network().link(server_host_, client_host_).set_blocked(silent);
  }
  [[nodiscard]] Address service_address() const { return client_host_.v4(80); }

  /// Starts both and waits until the client has registered.
  void begin(const quic::TransportConfig& client_transport = {}) {
    tunnel::ServerOptions server;
    server.listeners.push_back({.quic_address = server_host_.v4(4433), .traffic_address = server_host_.v4(8080)});
    server.credentials = server_credentials_;
    server_ = std::make_unique<tunnel::Server>(std::move(server), std::vector<io::EventLoop*>{&server_loop_}, [] {});
    ASSERT_TRUE(server_->start());
    tunnel::ClientOptions client{
        .client_id = "a",
        .servers = {{.address = {.host = server_host_.v4(0).host_text(), .port = 4433}, .server_name = "server.test"}},
        .local_service = {.address = {.host = service_address().host_text(), .port = service_address().port()}},
        .credentials = client_credentials_,
        .transport = client_transport};
    client_ = std::make_unique<tunnel::Client>(std::move(client), std::vector<io::EventLoop*>{&client_loop_}, [] {});
    client_->start();
    ASSERT_TRUE(world_.run_until([&] { return server_->pool(0).size() == 1; }, std::chrono::seconds(60)));
  }

  sim::World world_{1};

 private:
  sim::Host& server_host_ = world_.network().add_host("server");
  sim::Host& client_host_ = world_.network().add_host("client");
  sim::Host& visitors_host_ = world_.network().add_host("visitors");
  sim::SimLoop server_loop_{server_host_, "server"};
  sim::SimLoop client_loop_{client_host_, "client"};

 protected:
  sim::SimLoop service_loop_{client_host_, "service"};
  sim::SimLoop visitors_loop_{visitors_host_, "visitors"};

 private:
  std::shared_ptr<const quic::Credentials> server_credentials_ =
      quic::load_credentials("server", "ca", quic::Credentials::Purpose::server);
  std::shared_ptr<const quic::Credentials> client_credentials_ =
      quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);

 protected:
  std::unique_ptr<tunnel::Server> server_;
  std::unique_ptr<tunnel::Client> client_;
};

}  // namespace qmux::testing

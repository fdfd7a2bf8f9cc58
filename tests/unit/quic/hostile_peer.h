// SPDX-License-Identifier: MIT
//
// Our client against a hostile server, and our server against a hostile client, over a simulated link.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "hostile/peer.h"
#include "quic/quic_pair.h"

namespace qmux::quic {

class HostilePeerTest : public ::testing::Test {
 protected:
  /// Our client, a, connects to the hostile server.
  hostile::Peer& hostile_server() {
    ours_ = std::make_unique<Side>(world_.a, client_credentials_, transport_);
    peer_ = std::make_unique<hostile::Peer>(world_.b, hostile::PeerOptions{.server = true,
                                                                           .credentials = server_credentials_,
                                                                           .local = server_,
                                                                           .remote = {},
                                                                           .server_name = {},
                                                                           .retries_hello = false});
    return *peer_;
  }
  void connect() {
    auto connection = ours_->endpoint->connect(server_, "server.test", {}, *ours_);
    ASSERT_TRUE(connection);
    ours_->connection = *connection;
    ours_->loop.request_pass();
  }
  /// The hostile client connects to our server, b.
  hostile::Peer& hostile_client(bool retries_hello = false) {
    ours_ = std::make_unique<Side>(world_.b, server_credentials_, transport_);
    EXPECT_TRUE(ours_->endpoint->listen(server_, false, *ours_));
    peer_ = std::make_unique<hostile::Peer>(world_.a, hostile::PeerOptions{.credentials = client_credentials_,
                                                                           .local = world_.a_host.v4(5000),
                                                                           .remote = server_,
                                                                           .server_name = "server.test",
                                                                           .retries_hello = retries_hello});
    return *peer_;
  }
  bool run_until(const std::function<bool()>& done) { return world_.run_until(done, std::chrono::seconds(30)); }
  /// Long enough for what has been sent to arrive and to be answered.
  void settle() { world_.run_for(std::chrono::milliseconds(100)); }
  /// The connection has ended with this assertion of ngtcp2, and nothing else has.
  void expect_failure(const std::string& assertion) const {
    ASSERT_TRUE(cause());
    EXPECT_EQ(cause()->kind, CloseCause::Kind::protocol_error);
    EXPECT_TRUE(cause()->text.starts_with("the QUIC library failed") && cause()->text.ends_with(": " + assertion))
        << cause()->text;
  }
  [[nodiscard]] const std::optional<CloseCause>& cause() const { return ours_->cause; }

  TransportConfig transport_;
  sim::Pair world_;
  Address server_ = world_.b_host.v4(4433);
  std::shared_ptr<const Credentials> server_credentials_ =
      load_credentials("server", "ca", Credentials::Purpose::server);
  std::shared_ptr<const Credentials> client_credentials_ =
      load_credentials("client", "ca", Credentials::Purpose::client);
  std::unique_ptr<Side> ours_;
  std::unique_ptr<hostile::Peer> peer_;
};

}  // namespace qmux::quic

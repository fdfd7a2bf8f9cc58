// SPDX-License-Identifier: MIT
//
// A connected pair of TCP sockets on one loop, and an observer that records its callbacks.
#pragma once

#include <string>

#include "net/loop_fixture.h"

namespace qmux::net {

struct Noting final : io::TcpSocketEvents {
  void socket_readable() override { ++readable; }
  void socket_writable() override { ++writable; }
  void socket_reset() override { ++reset; }
  int readable = 0;
  int writable = 0;
  int reset = 0;
};

class TcpTest : public LoopTest, protected io::TcpListener::Events {
 protected:
  /// Connects `client_` to `server_` through a listener on `local`.
  void connect_pair(const Address& local = loopback()) {
    auto listener = loop_.listen_tcp(local, false, *this);
    ASSERT_TRUE(listener) << listener.error().text();
    auto client = loop_.connect_tcp((*listener)->local_address());
    ASSERT_TRUE(client) << client.error().text();
    client_ = std::move(*client);
    client_->watch(io::Interest::write, &client_sees_);
    ASSERT_TRUE(run_until([&] { return client_sees_.writable == 1 && !accepted_.empty(); }));
    ASSERT_EQ(client_->connect_error(), std::nullopt);
    client_sees_ = {};
    server_ = loop_.adopt_tcp(std::move(accepted_.back()));
    accepted_.clear();
  }

  /// Writes everything at once; what does not fit is a failure.
  static void send_text(io::TcpSocket& socket, std::string_view text) {
    const ConstBytes bytes = as_bytes(text);
    const io::IoResult result = socket.write({&bytes, 1});
    ASSERT_EQ(result.status, io::IoStatus::done);
    ASSERT_EQ(result.count, text.size());
  }

  /// Reads what is there, up to the end or until nothing more is there now.
  static io::IoStatus read_available(io::TcpSocket& socket, std::string& into) {
    for (;;) {
      std::byte buffer[4096];
      const MutableBytes room(buffer);
      const io::IoResult result = socket.read({&room, 1});
      if (result.status != io::IoStatus::done) return result.status;
      into += as_text(ConstBytes(buffer).first(result.count));
    }
  }

  void accepted(io::TcpHandle visitor, const Address& remote, const Address& local) override {
    accepted_.push_back(std::move(visitor));
    accepted_remote_ = remote;
    accepted_local_ = local;
  }

  Noting client_sees_;
  Noting server_sees_;
  std::unique_ptr<io::TcpSocket> client_;
  std::unique_ptr<io::TcpSocket> server_;
  std::vector<io::TcpHandle> accepted_;
  Address accepted_remote_;
  Address accepted_local_;
};

}  // namespace qmux::net

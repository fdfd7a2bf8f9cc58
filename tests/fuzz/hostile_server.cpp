// SPDX-License-Identifier: MIT
//
// A whole client against a server that does anything: it finishes the handshake, or not, and sends any frames at any level.
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/check.h"
#include "hostile_fixtures.h"
#include "hostile_script.h"
#include "sim/pair.h"
#include "tunnel/client/client.h"
#include "wire/messages.h"

namespace {

using namespace qmux;
using namespace std::chrono_literals;

/// The local service: takes every connection, reads nothing and sends little.
class Service final : public io::TcpListener::Events {
 public:
  explicit Service(sim::SimLoop& loop) : loop_(loop), listener_(*loop.listen_tcp(loop.host().v4(80), false, *this)) {}
  void speak() {
    const ConstBytes part = as_bytes("hello");
    for (const auto& each : connections_) (void)each->write({&part, 1});
  }

 private:
  void accepted(io::TcpHandle handle, const Address& /*remote*/, const Address& /*local*/) override {
    connections_.push_back(loop_.adopt_tcp(std::move(handle)));
  }

  sim::SimLoop& loop_;
  std::unique_ptr<io::TcpListener> listener_;
  std::deque<std::unique_ptr<io::TcpSocket>> connections_;
};

/// What a server sends, well formed: so that a fuzzer gets far.
void say(hostile::Peer& peer, std::uint8_t what, std::uint64_t& control_offset) {
  using hostile::Frames;
  const auto on_control = [&](const wire::Message& message) {
    const auto bytes = fuzz::bytes_of(message);
    peer.send(hostile::Level::application, Frames().stream(0, control_offset, bytes, false));
    control_offset += bytes.size();
  };
  const std::uint64_t stream = 1 + 4 * std::uint64_t{what} / 8;
  switch (what & 7U) {
    case 0:
      return on_control(wire::RegisterAck{
          .success = true, .message = {}, .capabilities = {"tcp", "udp", "conn-ack", "frag-seq", "drain", "udp-end"}});
    case 1:
      return on_control(wire::Heartbeat{.timestamp = 1});
    case 2:
      return on_control(wire::GoAway{});
    case 3:
    case 4: {
      const auto bytes = fuzz::bytes_of(wire::NewConn{.conn_id = what,
                                                      .protocol = "tcp",
                                                      .source_addr = "192.0.2.1:1",
                                                      .dest_addr = "192.0.2.2:2",
                                                      .timestamp = 0,
                                                      .ack = (what & 4U) != 0});
      return peer.send(hostile::Level::application, Frames().stream(stream & ~std::uint64_t{2}, 0, bytes, false));
    }
    case 5:
      return peer.send(hostile::Level::application, Frames().stream(stream & ~std::uint64_t{2}, 0, {}, true));
    default:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Purpose = quic::Credentials::Purpose;
  fuzz::FuzzInput input(data, size);
  {
    sim::Pair world;
    world.a_to_b.properties().mtu_bytes = world.b_to_a.properties().mtu_bytes = 65'535;
    Service service(world.a);
    hostile::Peer peer(world.b, {.server = true,
                                 .credentials = fuzz::credentials(Purpose::server),
                                 .local = world.b_host.v4(4433),
                                 .remote = {},
                                 .server_name = {},
                                 .retries_hello = false});
    tunnel::ClientOptions options{
        .client_id = "a",
        .servers = {{.address = {.host = world.b_host.v4(0).host_text(), .port = 4433}, .server_name = "server.test"}},
        .local_service = {.address = {.host = world.a_host.v4(0).host_text(), .port = 80}},
        .credentials = fuzz::credentials(Purpose::client)};
    tunnel::Client client(std::move(options), {&world.a}, [] {});
    std::uint64_t control_offset = 0;
    fuzz::HostileScript script(
        input, peer, [&](Duration time) { world.run_for(time); },
        [&](std::uint8_t what) {
          if ((what & 7U) == 7) return service.speak();
          say(peer, what, control_offset);
        });
    const bool complete = script.begin();
    client.start();
    world.run_until(
        [&] {
          return complete ? peer.received(hostile::Level::application) > 1 : peer.received(hostile::Level::initial) > 0;
        },
        1s);
    script.steps();
    world.run_for(50ms);
  }
  fuzz::HostileScript::report_failures();
  return 0;
}

// SPDX-License-Identifier: MIT
//
// A whole server against a client that does anything: it finishes the handshake, or not, sends any frames at any level, and
// changes its address.
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/check.h"
#include "hostile_fixtures.h"
#include "hostile_script.h"
#include "sim/pair.h"
#include "tunnel/server/server.h"
#include "wire/messages.h"

namespace {

using namespace qmux;
using namespace std::chrono_literals;

/// Visitors at the traffic address.
class Visitors final : private io::DatagramSocket::Events {
 public:
  Visitors(sim::SimLoop& loop, const Address& traffic) : loop_(loop), traffic_(traffic) {}
  void come() {
    if (connections_.size() < 8) connections_.push_back(*loop_.connect_tcp(traffic_));
    speak();
  }
  void speak() {
    const ConstBytes part = as_bytes("hello");
    for (const auto& each : connections_) (void)each->write({&part, 1});
  }
  void leave() { connections_.clear(); }
  void send_datagram() {
    if (!udp_)
      udp_ = std::move(*loop_.open_datagram({.local = Address::any(traffic_.family(), 0), .remote = traffic_}, *this));
    const ConstBytes payload = as_bytes("question");
    (void)udp_->send({.local = {}, .remote = {}, .bytes = payload, .segment_bytes = payload.size()});
  }

 private:
  void datagrams_readable() override {
    std::array<io::PacketRun, 8> runs;
    while (udp_->receive(runs) > 0) {
    }
  }
  void datagrams_writable() override {}

  sim::SimLoop& loop_;
  const Address traffic_;
  std::deque<std::unique_ptr<io::TcpSocket>> connections_;
  std::unique_ptr<io::DatagramSocket> udp_;
};

/// What a client sends, well formed: so that a fuzzer gets far.
void say(hostile::Peer& peer, std::uint8_t what, std::uint64_t& control_offset) {
  using hostile::Frames;
  const auto on_control = [&](const wire::Message& message) {
    const auto bytes = fuzz::bytes_of(message);
    peer.send(hostile::Level::application, Frames().stream(0, control_offset, bytes, false));
    control_offset += bytes.size();
  };
  switch (what & 3U) {
    case 0:
      return on_control(wire::Register{.client_id = "a",
                                       .version = "1.0",
                                       .capabilities = {"tcp", "udp", "conn-ack", "frag-seq", "drain", "udp-end"},
                                       .instance = "i",
                                       .slot = 0,
                                       .epoch = 1});
    case 1:
      return on_control(wire::Heartbeat{.timestamp = 1});
    case 2:
      return on_control(wire::GoAway{});
    default:
      return peer.send(hostile::Level::application, Frames().stream(0, control_offset, {}, true));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Purpose = quic::Credentials::Purpose;
  fuzz::FuzzInput input(data, size);
  const bool retries_hello = (input.byte() & 1U) != 0;
  {
    sim::Pair world;
    world.a_to_b.properties().mtu_bytes = world.b_to_a.properties().mtu_bytes = 65'535;
    tunnel::ServerOptions options;
    options.listeners.push_back({.quic_address = world.b_host.v4(4433),
                                 .traffic_address = world.b_host.v4(8080),
                                 .protocol = tunnel::VisitorProtocol::both});
    options.credentials = fuzz::credentials(Purpose::server);
    tunnel::Server server(std::move(options), {&world.b}, [] {});
    CHECK(server.start().has_value());
    hostile::Peer peer(world.a, {.server = false,
                                 .credentials = fuzz::credentials(Purpose::client),
                                 .local = world.a_host.v4(5000),
                                 .remote = world.b_host.v4(4433),
                                 .server_name = "server.test",
                                 .retries_hello = retries_hello});
    Visitors visitors(world.a, server.traffic_address(0));
    std::uint64_t control_offset = 0;
    fuzz::HostileScript script(
        input, peer, [&](Duration time) { world.run_for(time); },
        [&](std::uint8_t what) {
          switch (what & 7U) {
            case 4:
              return visitors.come();
            case 5:
              return visitors.speak();
            case 6:
              return visitors.send_datagram();
            case 7:
              return visitors.leave();
            default:
              return say(peer, what, control_offset);
          }
        });
    const bool complete = script.begin();
    peer.begin();
    world.run_until(
        [&] {
          return complete ? peer.frames_seen(hostile::FrameType::handshake_done) > 0
                          : peer.received(hostile::Level::handshake) > 0;
        },
        1s);
    script.steps();
    world.run_for(50ms);
  }
  fuzz::HostileScript::report_failures();
  return 0;
}

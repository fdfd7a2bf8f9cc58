// SPDX-License-Identifier: MIT
#include "net/steering.h"

#include <array>

#include "net/loop_fixture.h"

namespace qmux::net {
namespace {

struct Counting final : io::DatagramSocket::Events {
  void datagrams_readable() override {
    io::PacketRun runs[8];
    while (const std::size_t count = socket->receive(runs)) {
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        packets += (run.bytes.size() + run.segment_bytes - 1) / run.segment_bytes;
      }
    }
  }
  void datagrams_writable() override {}
  std::unique_ptr<io::DatagramSocket> socket;
  std::size_t packets = 0;
};

class Steering : public LoopTest {};

TEST_F(Steering, every_packet_lands_at_the_socket_that_its_connection_id_names) {
  constexpr std::size_t kSockets = 3;
  std::array<Counting, kSockets> workers;
  io::DatagramOptions options;
  options.local = loopback();
  options.shared_port = true;
  options.steered_among = kSockets;
  for (Counting& worker : workers) {
    auto socket = loop_.open_datagram(options, worker);
    ASSERT_TRUE(socket) << socket.error().text();
    worker.socket = std::move(*socket);
    options.local = worker.socket->local_address();
  }

  Counting sender;
  std::array<std::size_t, kSockets> expected{};
  for (int source = 0; source < 4; ++source) {
    io::DatagramOptions any;
    any.local = loopback();
    sender.socket = loop_.open_datagram(any, sender).value();
    for (unsigned worker = 0; worker < 12; ++worker) {
      for (const bool long_header : {true, false}) {
        // Three packets in one run: offload must not lead them astray.
        std::array<std::byte, 3 * 40> bytes{};
        for (std::size_t at = 0; at < bytes.size(); at += 40) {
          bytes[at] = std::byte{static_cast<unsigned char>(long_header ? 0xc0 : 0x40)};
          bytes[at + (long_header ? 6 : 1)] = static_cast<std::byte>(worker);
          bytes[at + (long_header ? 1 : 6)] = std::byte{0xff};
        }
        io::PacketRun run;
        run.remote = options.local;
        run.bytes = bytes;
        run.segment_bytes = 40;
        ASSERT_EQ(sender.socket->send(run), io::SendStatus::sent);
        expected[worker % kSockets] += 3;
      }
    }
  }
  ASSERT_TRUE(run_until([&] {
    std::size_t packets = 0;
    for (const Counting& worker : workers) packets += worker.packets;
    return packets == 4 * 12 * 2 * 3;
  }));
  for (std::size_t i = 0; i < kSockets; ++i) EXPECT_EQ(workers[i].packets, expected[i]) << "socket " << i;
}

}  // namespace
}  // namespace qmux::net

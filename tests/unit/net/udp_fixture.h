// SPDX-License-Identifier: MIT
//
// UDP sockets on one loop that keep what they receive.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "net/loop_fixture.h"
#include "net/socket_options.h"

namespace qmux::net {

/// Copies out of each arrival what the tests ask about.
struct Arrival {
  Address local;
  Address remote;
  std::vector<std::byte> bytes;
  std::size_t segment_bytes;
  std::size_t packet_count;
  io::Ecn ecn;
};

struct Collecting final : io::DatagramSocket::Events {
  void datagrams_readable() override {
    ++notified;
    for (;;) {
      io::PacketRun runs[16];
      const std::size_t count = socket->receive(runs);
      if (count == 0) return;
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        arrivals.push_back({run.local,
                            run.remote,
                            {run.bytes.begin(), run.bytes.end()},
                            run.segment_bytes,
                            run.packet_count(),
                            run.ecn});
      }
    }
  }
  void datagrams_writable() override { ++writable; }

  [[nodiscard]] std::size_t packets() const {
    std::size_t count = 0;
    for (const Arrival& each : arrivals) count += each.packet_count;
    return count;
  }

  std::unique_ptr<io::DatagramSocket> socket;
  std::vector<Arrival> arrivals;
  int notified = 0;
  int writable = 0;
};

class UdpTest : public LoopTest {
 protected:
  void open(Collecting& end, const Address& local, const Address& remote = {}) {
    io::DatagramOptions options;
    options.local = local;
    options.remote = remote;
    open(end, options);
  }
  void open(Collecting& end, const io::DatagramOptions& options) {
    auto socket = loop_.open_datagram(options, end);
    ASSERT_TRUE(socket) << socket.error().text();
    end.socket = std::move(*socket);
  }

  static std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 256);
    return bytes;
  }

  /// An address that no host has.
  Address closed_port() {
    Collecting gone;
    open(gone, loopback());
    return gone.socket->local_address();
  }

  /// The descriptor behind a socket of this process; -1 when there is none.
  static int descriptor_bound_to(const Address& local) {
    for (int fd = 0; fd < 1024; ++fd) {
      if (bound_address(fd) == local) return fd;
    }
    return -1;
  }

  static io::PacketRun run_to(const Address& remote, ConstBytes bytes, std::size_t segment_bytes) {
    io::PacketRun run;
    run.remote = remote;
    run.bytes = bytes;
    run.segment_bytes = segment_bytes;
    return run;
  }

  Collecting a_;
  Collecting b_;
};

}  // namespace qmux::net

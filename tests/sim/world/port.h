// SPDX-License-Identifier: MIT
//
// UDP sockets for tests of the world: they remember what comes.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/pair.h"
#include "sim/world/datagram_socket.h"

namespace qmux::sim {

/// A UDP socket that remembers what comes.
class Port final : public io::DatagramSocket::Events {
 public:
  explicit Port(io::EventLoop& loop, const io::DatagramOptions& options) : loop_(loop) {
    auto opened = loop.open_datagram(options, *this);
    if (opened) socket = std::move(*opened);
  }

  void datagrams_readable() override {
    ++notified_count;
    std::array<io::PacketRun, 8> runs;
    for (std::size_t count = 0; (count = socket->receive(runs)) > 0;) {
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        for (std::size_t i = 0; i < run.packet_count(); ++i) {
          got.emplace_back(as_text(run.packet(i)));
          times.push_back(loop_.now());
        }
        last = run;
      }
    }
  }
  void datagrams_writable() override { ++writable_count; }

  io::SendStatus send(const Address& to, std::string_view text, std::size_t segment = 0,
                      io::Ecn ecn = io::Ecn::not_ect) {
    return socket->send({.local = {},
                         .remote = to,
                         .bytes = as_bytes(text),
                         .segment_bytes = segment == 0 ? text.size() : segment,
                         .ecn = ecn});
  }

  std::unique_ptr<io::DatagramSocket> socket;
  std::vector<std::string> got;
  std::vector<Time> times;
  io::PacketRun last;
  int notified_count = 0;
  int writable_count = 0;

 private:
  io::EventLoop& loop_;
};

inline io::DatagramOptions bound(const Address& local) { return {.local = local, .remote = {}}; }
inline io::DatagramOptions shared(const Address& local, std::size_t steered_among) {
  return {.local = local, .remote = {}, .shared_port = true, .steered_among = steered_among};
}

struct Ends : Pair {
  explicit Ends(const LinkProperties& properties = {}, std::uint64_t seed = 1) : Pair(seed, properties) {}
  Port near{a, bound(a_host.v4(100))};
  Port far{b, bound(b_host.v4(200))};
};

}  // namespace qmux::sim

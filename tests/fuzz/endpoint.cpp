// SPDX-License-Identifier: MIT
//
// Whatever comes to a server's QUIC port: it is routed by its connection ID, answered or dropped, and nothing more. The first
// byte says how many workers there are; each datagram is preceded by its length (two bytes) and one that says whether it came
// here by the kernel or from another worker.
#include "quic/endpoint.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "fuzz_input.h"
#include "quic/credentials.h"
#include "sim/pair.h"
#include "support/source_tree.h"
#include "wire/worker_routing.h"

namespace {

using namespace qmux;

const std::shared_ptr<const quic::Credentials>& credentials() {
  static const std::shared_ptr<const quic::Credentials> loaded = [] {
    log::configure(log::Level::off, log::Format::text);
    auto made = quic::Credentials::load({.certificate = test::fixture("server.crt"),
                                         .key = test::fixture("server.key"),
                                         .trust = test::fixture("ca.crt")},
                                        quic::Credentials::Purpose::server);
    CHECK(made.has_value());
    return std::move(*made);
  }();
  return loaded;
}

/// Takes every connection and ignores its events.
class Acceptor final : public quic::EndpointHost, public quic::ConnectionEvents {
 public:
  explicit Acceptor(std::size_t workers) : workers_(workers) {}

 private:
  quic::ConnectionEvents* connection_begun(quic::Connection& /*connection*/) override { return this; }
  void hand_over(std::size_t worker, const io::PacketRun& run) override {
    CHECK(worker > 0 && worker < workers_);
    CHECK(!run.bytes.empty());
  }
  void established(quic::Connection& /*connection*/) override {}
  void stream_opened(quic::Connection& /*connection*/, quic::Stream& stream) override { stream.release(); }
  void stream_credit(quic::Connection& /*connection*/) override {}
  void closed(quic::Connection& /*connection*/, const quic::CloseCause& /*cause*/) override {}

  const std::size_t workers_;
};

/// Ignores the answers.
class Silent final : public io::DatagramSocket::Events {
  void datagrams_readable() override {}
  void datagrams_writable() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t workers = 1 + input.up_to(wire::kWorkersMax - 1);
  sim::Pair world;
  ChunkPool chunks;
  const quic::TransportConfig transport;
  Acceptor acceptor(workers);
  quic::HandshakeLoad load;
  quic::HandshakeAdmission admission(world.b, load, workers);
  quic::Endpoint endpoint(world.b, chunks,
                          {.transport = transport,
                           .credentials = credentials(),
                           .worker = {.index = 0, .count = workers},
                           .admission = &admission});
  CHECK(endpoint.listen(world.b_host.v4(4433), false, acceptor).has_value());
  Silent silent;
  const auto sender = world.a.open_datagram({.local = world.a_host.v4(5000), .remote = {}}, silent);
  CHECK(sender.has_value());

  std::size_t datagrams = 0;
  while (!input.empty()) {
    std::size_t length = input.byte();
    length = length * 256 + input.byte();
    const bool handed_over = (input.byte() & 1U) != 0;
    const ConstBytes datagram = input.bytes(std::min(length, quic::PacketBatch::kPacketBytesMax));
    if (datagram.empty()) continue;
    ++datagrams;
    if (handed_over) {
      endpoint.receive_handed_over({.local = world.b_host.v4(4433),
                                    .remote = world.a_host.v4(5000),
                                    .bytes = datagram,
                                    .segment_bytes = datagram.size()});
    } else {
      (void)(*sender)->send(
          {.local = {}, .remote = world.b_host.v4(4433), .bytes = datagram, .segment_bytes = datagram.size()});
    }
    world.run_for(std::chrono::milliseconds(10));  // longer than the link takes
    while (endpoint.deliver_events()) {
    }
    (void)endpoint.flush(world.b.now());
  }
  // No peer here can finish a handshake, so each datagram began one connection at the most.
  CHECK(endpoint.connection_count() <= datagrams);
  CHECK(endpoint.counters().packets_received <= datagrams);
  CHECK(load.unproven() <= endpoint.connection_count());
  return 0;
}

// SPDX-License-Identifier: MIT
//
// A QUIC server and a QUIC client over one simulated link, with the events of each side.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/chunk.h"
#include "quic/credentials.h"
#include "quic/endpoint.h"
#include "sim/pair.h"
#include "support/source_tree.h"

namespace qmux::quic {

using test::fixture;

inline std::shared_ptr<const Credentials> load_credentials(const std::string& certificate, const std::string& trust,
                                                           Credentials::Purpose purpose) {
  CredentialFiles files;
  if (!certificate.empty()) {
    files.certificate = fixture(certificate + ".crt");
    files.key = fixture(certificate + ".key");
  }
  files.trust = fixture(trust + ".crt");
  auto loaded = Credentials::load(files, purpose);
  return loaded ? std::move(*loaded) : nullptr;
}

/// What one stream received, and what it is to send as room comes.
class TestStream final : public StreamEvents {
 public:
  explicit TestStream(Stream& s) : stream(&s) { s.set_events(this); }

  void send(std::string text, bool fin) {
    to_send += text;
    fin_wanted = fin;
    pump();
  }
  void pump() {
    std::array<MutableBytes, 4> room;
    while (!to_send.empty()) {
      const std::size_t count = stream->send_room(to_send.size(), room);
      if (count == 0) return;
      std::size_t moved = 0;
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(room[i].data(), to_send.data() + moved, room[i].size());
        moved += room[i].size();
      }
      stream->commit(moved);
      to_send.erase(0, moved);
    }
    if (fin_wanted) stream->finish();
  }
  void drain() {
    std::array<ConstBytes, 8> views;
    while (const std::size_t count = stream->readable(views)) {
      std::size_t taken = 0;
      for (std::size_t i = 0; i < count; ++i) {
        received += as_text(views[i]);
        taken += views[i].size();
      }
      stream->consume(taken);
    }
    if (stream->at_end()) ended = true;
    if (const auto code = stream->reset_received()) reset = code;
  }

  void stream_readable(Stream&) override {
    if (reading) drain();
  }
  void stream_writable(Stream&) override {
    if (stream->send_stopped()) {
      stopped = true;
    } else {
      pump();
    }
  }
  void stream_send_done(Stream&) override { done = true; }

  Stream* stream;
  std::string to_send;
  bool fin_wanted = false;
  bool reading = true;
  std::string received;
  bool ended = false;
  bool done = false;
  bool stopped = false;
  std::optional<std::uint64_t> reset;
};

/// Keeps streams busy for ever: what comes is dropped.
class Pump final : public StreamEvents {
 public:
  explicit Pump(Stream& stream) : stream_(stream) {
    stream.set_events(this);
    stream_writable(stream);
  }
  void stream_readable(Stream&) override {}
  void stream_writable(Stream&) override {
    std::array<MutableBytes, 4> room;
    while (const std::size_t count = stream_.send_room(std::size_t{64} * 1024, room)) {
      std::size_t bytes = 0;
      for (const MutableBytes& piece : std::span(room).first(count)) {
        std::ranges::fill(piece, std::byte{'s'});
        bytes += piece.size();
      }
      stream_.commit(bytes);
    }
  }
  void stream_send_done(Stream&) override {}

 private:
  Stream& stream_;
};

/// One side: an endpoint on a loop, and a log of its connections' events.
class Side final : public io::EventLoop::PassEvents, public ConnectionEvents, public EndpointHost {
 public:
  Side(sim::SimLoop& on, std::shared_ptr<const Credentials> credentials, const TransportConfig& transport,
       WorkerIndex slot = {})
      : loop(on),
        admission(on, load, slot.count),
        endpoint(std::make_unique<Endpoint>(on, chunks,
                                            EndpointOptions{transport, std::move(credentials), slot, &admission})) {
    loop.set_pass_events(this);
  }
  ~Side() { loop.set_pass_events(nullptr); }

  void end_of_pass(Time now) override {
    for (int round = 0; round < 8; ++round) {
      const bool delivered = endpoint->deliver_events();
      const bool more = endpoint->flush(now);
      if (more) loop.request_pass();
      if (!delivered) return;
    }
    loop.request_pass();
  }

  ConnectionEvents* connection_begun(Connection& begun) override {
    connection = &begun;
    return this;
  }
  void hand_over(std::size_t, const io::PacketRun&) override { ++handed_over; }
  void established(Connection& c) override {
    is_established = true;
    if (admits) c.mark_proven();
    peer_name = c.peer_name();
    protocol = c.application_protocol();
  }
  void stream_opened(Connection&, Stream& stream) override {
    accepted.emplace_back(stream);
    if (echo) echoing.push_back(&accepted.back());
  }
  void stream_credit(Connection&) override { ++credits; }
  void filler_wanted(Connection& c, std::size_t bytes) override {
    ++fillers;
    if (filler == nullptr) filler = c.open_stream();
    filler->send_copy(std::vector<std::byte>(bytes, kFiller));
  }
  void closed(Connection&, const CloseCause& why) override {
    cause = why;
    connection = nullptr;
    streams_gone = true;
  }

  sim::SimLoop& loop;
  ChunkPool chunks;
  HandshakeLoad load;
  HandshakeAdmission admission;
  std::deque<TestStream> accepted;
  std::vector<TestStream*> echoing;
  std::unique_ptr<Endpoint> endpoint;
  Connection* connection = nullptr;
  bool echo = false;
  bool admits = false;  ///< as a server does that wants the client
  bool is_established = false;
  bool streams_gone = false;
  static constexpr std::byte kFiller{'f'};
  Stream* filler = nullptr;
  int fillers = 0;
  int credits = 0;
  int handed_over = 0;
  std::string peer_name;
  std::string protocol;
  std::optional<CloseCause> cause;
};

struct QuicPair {
  explicit QuicPair(std::uint64_t seed = 1, const sim::LinkProperties& link = {}, TransportConfig server_transport = {},
                    TransportConfig client_transport = {}, std::string client_certificate = "client",
                    std::string client_trust = "ca", const std::string& server_certificate = "server")
      : world(seed, link),
        server_credentials(load_credentials(server_certificate, "ca", Credentials::Purpose::server)),
        client_credentials(load_credentials(client_certificate, client_trust, Credentials::Purpose::client)),
        server(world.b, server_credentials, server_transport),
        client(world.a, client_credentials, client_transport) {}

  QuicPair(std::shared_ptr<const Credentials> of_server, std::shared_ptr<const Credentials> of_client)
      : world(1, {}),
        server_credentials(std::move(of_server)),
        client_credentials(std::move(of_client)),
        server(world.b, server_credentials, {}),
        client(world.a, client_credentials, {}) {}

  void connect(const std::string& server_name = "server.test") {
    server_address = world.b_host.address(AF_INET, 4433);
    ASSERT_TRUE(server.endpoint->listen(server_address, false, server));
    reconnect(server_name);
  }
  void reconnect(const std::string& server_name = "server.test") {
    auto connection = client.endpoint->connect(server_address, server_name, {}, client);
    ASSERT_TRUE(connection) << connection.error().text();
    client.connection = *connection;
    client.loop.request_pass();
  }
  void establish() {
    connect();
    ASSERT_TRUE(run_until([&] { return server.is_established && client.is_established; }));
  }
  /// The server's process dies: no peer is notified. Its successor has the same key, and so the same secret.
  void restart_server() {
    server.endpoint.reset();
    server.endpoint = std::make_unique<Endpoint>(
        server.loop, server.chunks, EndpointOptions{TransportConfig{}, server_credentials, {}, &server.admission});
    ASSERT_TRUE(server.endpoint->listen(server_address, false, server));
  }
  /// The server's process is gone, and the client sends something.
  void send_to_closed_port() {
    server.endpoint.reset();
    TestStream mine(*client.connection->open_stream());
    mine.send("to a closed port", false);
    act(client);
  }
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::seconds(30)) {
    return world.run_until(done, at_most);
  }
  /// Lets a side act within its loop, as its owner would.
  static void act(Side& side) { side.loop.request_pass(); }

  sim::Pair world;
  std::shared_ptr<const Credentials> server_credentials;
  std::shared_ptr<const Credentials> client_credentials;
  Side server;
  Side client;
  Address server_address;
};

}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// Bare QUIC through our own quic/ and net/ layers, without a tunnel: what the tunnel's cost is held against.
//
//   bare_quic server FIXTURES             prints "port N", serves until its standard input ends
//   bare_quic client FIXTURES PORT STREAMS BYTES up|down [PACKET_BYTES]
//
// The client moves BYTES in each of STREAMS streams and prints one line of JSON: seconds, bytes, CPU seconds of this process.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "net/event_loop.h"
#include "quic/endpoint.h"

namespace qmux {
namespace {

constexpr std::size_t kRequestBytes = 8;  // how many bytes the client wants; 0: it sends

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// One stream that sends `to_send` bytes and counts what comes.
class Transfer final : public quic::StreamEvents {
 public:
  explicit Transfer(quic::Stream& stream) : stream_(stream) { stream_.set_events(this); }

  void request(std::uint64_t bytes) {
    std::array<std::byte, kRequestBytes> header;
    write_be(MutableBytes(header), bytes);
    stream_.send_copy(header);
  }
  void send(std::uint64_t bytes) {
    to_send_ = bytes;
    sending_ = true;
    pump();
  }
  [[nodiscard]] bool ended() const { return ended_; }
  bool serve_requests = false;

 private:
  void pump() {
    std::array<MutableBytes, 4> room;
    while (to_send_ > 0) {
      const std::size_t count = stream_.send_room(std::min<std::uint64_t>(to_send_, 65536), room);
      if (count == 0) return;
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) {
        std::memset(room[i].data(), 'x', room[i].size());  // as a read from a socket would fill it
        bytes += room[i].size();
      }
      stream_.commit(bytes);
      to_send_ -= bytes;
    }
    if (sending_) stream_.finish();
  }
  void stream_readable(quic::Stream&) override {
    std::array<ConstBytes, 16> views;
    while (const std::size_t count = stream_.readable(views)) {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) bytes += views[i].size();
      if (serve_requests && received_ == 0) {
        const auto wanted = read_be<std::uint64_t>(views[0]);
        if (wanted > 0) send(wanted);
      }
      received_ += bytes;
      stream_.consume(bytes);
    }
    if (!stream_.at_end()) return;
    ended_ = true;
    if (serve_requests && !sending_) stream_.finish();
  }
  void stream_writable(quic::Stream&) override {
    if (!stream_.send_stopped()) pump();
  }
  void stream_send_done(quic::Stream&) override {}

  quic::Stream& stream_;
  std::uint64_t to_send_ = 0;
  std::uint64_t received_ = 0;
  bool sending_ = false;
  bool ended_ = false;
};

class Side final : public io::EventLoop::PassEvents, public quic::ConnectionEvents, public quic::EndpointHost {
 public:
  Side(net::AsioEventLoop& loop, std::shared_ptr<const quic::Credentials> credentials,
       const quic::TransportConfig& transport)
      : loop_(loop),
        admission_(loop, load_, 1),
        endpoint(loop, chunks_, {transport, std::move(credentials), {}, &admission_}) {
    loop_.set_pass_events(this);
  }
  void end_of_pass(Time now) override {
    for (int round = 0; round < 8; ++round) {
      const bool reported = endpoint.deliver_events();
      if (endpoint.flush(now)) loop_.request_pass();
      if (!reported) break;
    }
    if (!transfers_.empty() && !serving && std::ranges::all_of(transfers_, &Transfer::ended)) loop_.stop();
  }
  quic::ConnectionEvents* connection_begun(quic::Connection&) override { return this; }
  void hand_over(std::size_t, const io::PacketRun&) override {}
  void established(quic::Connection& connection) override {
    for (std::size_t i = 0; i < streams; ++i) {
      transfers_.emplace_back(*connection.open_stream());
      transfers_.back().request(up ? 0 : bytes);
      if (up) transfers_.back().send(bytes);
      if (!up) transfers_.back().send(0);
    }
  }
  void stream_opened(quic::Connection&, quic::Stream& stream) override {
    transfers_.emplace_back(stream).serve_requests = true;
  }
  void stream_credit(quic::Connection&) override {}
  void closed(quic::Connection&, const quic::CloseCause& cause) override {
    if (!cause.orderly()) std::fprintf(stderr, "closed: %s\n", cause.text.c_str());
    transfers_.clear();
    if (!serving) loop_.stop();
  }

 private:
  net::AsioEventLoop& loop_;
  ChunkPool chunks_;
  quic::HandshakeLoad load_;
  quic::HandshakeAdmission admission_;
  std::deque<Transfer> transfers_;

 public:
  quic::Endpoint endpoint;
  bool serving = false;
  std::size_t streams = 0;
  std::uint64_t bytes = 0;
  bool up = false;
};

int run(int argc, char** argv) {
  const bool server = argc >= 3 && std::strcmp(argv[1], "server") == 0;
  if (argc < 3 || (!server && argc < 7)) {
    std::fprintf(stderr,
                 "usage: bare_quic server FIXTURES | client FIXTURES PORT STREAMS BYTES up|down [PACKET_BYTES]\n");
    return 2;
  }
  const std::string fixtures = argv[2];
  const std::string name = server ? "server" : "client";
  auto credentials =
      quic::Credentials::load({fixtures + "/" + name + ".crt", fixtures + "/" + name + ".key", fixtures + "/ca.crt"},
                              server ? quic::Credentials::Purpose::server : quic::Credentials::Purpose::client);
  auto loop = net::AsioEventLoop::make();
  if (!credentials || !loop) {
    std::fprintf(stderr, "%s\n", (!credentials ? credentials.error() : loop.error()).text().c_str());
    return 1;
  }
  quic::TransportConfig transport;
  transport.incoming_streams_max = 65536;
  const int packet_argument = server ? 3 : 7;
  if (argc > packet_argument) transport.udp_payload_bytes_max = std::strtoul(argv[packet_argument], nullptr, 10);
  Side side(**loop, std::move(*credentials), transport);

  if (server) {
    side.serving = true;
    if (auto listening = side.endpoint.listen(*Address::parse("127.0.0.1:0"), false, side); !listening) {
      std::fprintf(stderr, "%s\n", listening.error().text().c_str());
      return 1;
    }
    std::printf("port %u\n", side.endpoint.local_address().port());
    std::fflush(stdout);
    std::jthread until_input_ends([&] {
      char byte = 0;
      while (read(STDIN_FILENO, &byte, 1) > 0) {
      }
      (*loop)->stop();
    });
    (*loop)->run();
    std::printf("{\"cpu_seconds\": %.4f}\n", cpu_seconds());
    return 0;
  }

  side.streams = std::strtoul(argv[4], nullptr, 10);
  side.bytes = std::strtoull(argv[5], nullptr, 10);
  side.up = std::strcmp(argv[6], "up") == 0;
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[3], nullptr, 10));
  const auto begin = std::chrono::steady_clock::now();
  if (auto connected = side.endpoint.connect(*Address::from_literal("127.0.0.1", port), "127.0.0.1", {}, side);
      !connected) {
    std::fprintf(stderr, "%s\n", connected.error().text().c_str());
    return 1;
  }
  (*loop)->request_pass();
  (*loop)->run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  std::printf("{\"seconds\": %.4f, \"bytes\": %llu, \"cpu_seconds\": %.4f}\n", elapsed.count(),
              static_cast<unsigned long long>(side.bytes * side.streams), cpu_seconds());
  return 0;
}

}  // namespace
}  // namespace qmux

int main(int argc, char** argv) { return qmux::run(argc, argv); }

// SPDX-License-Identifier: MIT
#include "sim/scenario/strangers.h"

#include <fmt/format.h>
#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/io/datagram_socket.h"
#include "quic/endpoint.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"

namespace qmux::sim {
namespace {

/// Of one host at a time; the oldest is given up, without notice to the server.
constexpr std::size_t kAttemptsMax = 100;

/// An Initial without a token that begins a connection, and does not decrypt.
std::vector<std::byte> garbage_initial(std::uint64_t id) {
  std::vector<std::byte> packet(1200);
  packet[0] = std::byte{0xc0};
  write_be(std::span(packet).subspan(1), std::uint32_t{NGTCP2_PROTO_VER_V1});
  packet[5] = std::byte{8};  // destination ID
  write_be(std::span(packet).subspan(6), id);
  packet[14] = std::byte{8};  // source ID
  packet[23] = std::byte{0};  // length of the token
  write_be(std::span(packet).subspan(24), std::uint16_t{0x4000 + 1174});
  return packet;
}

}  // namespace

/// A connection from a socket of its own.
class Strangers::Attempt final : private quic::ConnectionEvents {
 public:
  Attempt(Strangers& strangers, SimLoop& loop)
      : endpoint_(loop, strangers.chunks_, {.transport = {}, .credentials = strangers.credentials_, .worker = {}}) {
    CHECK(endpoint_.connect(strangers.server_, "server.test", {}, *this).has_value());
  }

  void serve(Time now) {
    for (int round = 0; round < 4; ++round) {
      const bool reported = endpoint_.deliver_events();
      (void)endpoint_.flush(now);
      if (!reported) return;
    }
  }
  [[nodiscard]] bool over() const noexcept { return over_; }

 private:
  void established(quic::Connection&) override {}
  void stream_opened(quic::Connection&, quic::Stream&) override {}
  void stream_credit(quic::Connection&) override {}
  void closed(quic::Connection&, const quic::CloseCause&) override { over_ = true; }

  quic::Endpoint endpoint_;
  bool over_ = false;
};

/// A host, and the attempts that go on there.
class Strangers::Stand final : private io::EventLoop::PassEvents, private io::DatagramSocket::Events {
 public:
  Stand(Strangers& strangers, const std::string& name)
      : strangers_(strangers), loop_(strangers.world_.network().add_host(name), name) {
    loop_.set_pass_events(this);
  }
  ~Stand() { loop_.set_pass_events(nullptr); }

  void send_garbage(std::uint64_t id) {
    if (!socket_) {
      auto socket =
          loop_.open_datagram({.local = loop_.host().address(strangers_.server_.family(), 0), .remote = {}}, *this);
      CHECK(socket.has_value());
      socket_ = std::move(*socket);
    }
    const std::vector<std::byte> packet = garbage_initial(id);
    (void)socket_->send({.local = {}, .remote = strangers_.server_, .bytes = packet, .segment_bytes = packet.size()});
  }
  void begin_handshake() {
    if (attempts_.size() >= kAttemptsMax) attempts_.pop_front();
    attempts_.push_back(std::make_unique<Attempt>(strangers_, loop_));
    loop_.request_pass();
  }
  void leave() { attempts_.clear(); }

 private:
  void end_of_pass(Time now) override {
    for (const auto& attempt : attempts_) attempt->serve(now);
    const bool silent = strangers_.plan_.kind == StrangersPlan::Kind::silent;
    std::erase_if(attempts_, [&](const auto& attempt) { return silent || attempt->over(); });
  }
  void datagrams_readable() override {}
  void datagrams_writable() override {}

  Strangers& strangers_;
  SimLoop loop_;
  std::unique_ptr<io::DatagramSocket> socket_;
  std::deque<std::unique_ptr<Attempt>> attempts_;
};

Strangers::Strangers(World& world, const StrangersPlan& plan, const Address& server, const RunCredentials& credentials)
    : world_(world),
      plan_(plan),
      server_(server),
      credentials_(plan.kind == StrangersPlan::Kind::foreign ? credentials.intruder : credentials.anonymous),
      random_(world.random("strangers")),
      next_(world.events(), [this] { next(); }) {
  for (std::size_t i = 0; i < plan_.hosts; ++i)
    stands_.push_back(std::make_unique<Stand>(*this, fmt::format("strangers{}", i)));
}

Strangers::~Strangers() = default;

void Strangers::schedule() {
  end_ = world_.now() + plan_.begin + plan_.length;
  next_.set(world_.now() + plan_.begin);
}

void Strangers::next() {
  if (world_.now() >= end_) {
    for (const auto& stand : stands_) stand->leave();
    return;
  }
  ++attempts_count_;
  Stand& stand = *stands_[random_.below(stands_.size())];
  if (plan_.kind == StrangersPlan::Kind::garbage) {
    stand.send_garbage(random_.next());
  } else {
    stand.begin_handshake();
  }
  const Duration mean = Duration(std::chrono::seconds(1)) / static_cast<Duration::rep>(plan_.per_second);
  next_.set(world_.now() + random_.between(Duration{}, 2 * mean));
}

}  // namespace qmux::sim

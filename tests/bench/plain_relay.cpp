// SPDX-License-Identifier: MIT
//
// A plain TCP relay over our own event loop and sockets: read from one side, write to the other, nothing between. With
// bare_quic it is what the tunnel's cost is held against.
//
//   plain_relay SERVICE_PORT                  prints "port N"; relays until its standard input ends
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <unordered_set>

#include "net/event_loop.h"

namespace qmux {
namespace {

class Pair;

/// One direction: from one socket to the other.
class Direction final {
 public:
  Direction(io::TcpSocket& from, io::TcpSocket& to) : from_(from), to_(to) {}
  /// Moves what can be moved now. False: the connection is broken.
  bool pump() {
    for (int turn = 0; turn < 4 && !ended_; ++turn) {
      if (begin_ == end_) {
        const MutableBytes room(buffer_);
        const io::IoResult got = from_.read({&room, 1});
        if (got.status == io::IoStatus::reset) return false;
        if (got.status == io::IoStatus::would_block) return true;
        if (got.status == io::IoStatus::end) {
          to_.shutdown_write();
          ended_ = true;
          return true;
        }
        begin_ = 0;
        end_ = got.count;
      }
      const ConstBytes left(buffer_.data() + begin_, end_ - begin_);
      const io::IoResult put = to_.write({&left, 1});
      if (put.status == io::IoStatus::reset) return false;
      if (put.status == io::IoStatus::would_block) return true;
      begin_ += put.count;
    }
    return true;
  }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool wants_to_read() const { return !ended_ && begin_ == end_; }
  [[nodiscard]] bool wants_to_write() const { return begin_ != end_; }

 private:
  io::TcpSocket& from_;
  io::TcpSocket& to_;
  std::array<std::byte, 65536> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
};

class Pair final {
 public:
  Pair(std::unique_ptr<io::TcpSocket> a, std::unique_ptr<io::TcpSocket> b, std::unordered_set<Pair*>& ended)
      : a_(std::move(a)), b_(std::move(b)), forth_(*a_, *b_), back_(*b_, *a_), ended_(ended) {
    watch();
  }
  void move() {
    if (!forth_.pump() || !back_.pump() || (forth_.ended() && back_.ended())) {
      ended_.insert(this);
      return;
    }
    watch();
  }

 private:
  struct Watcher final : io::TcpSocketEvents {
    explicit Watcher(Pair& p) : pair(p) {}
    void socket_readable() override { pair.move(); }
    void socket_writable() override { pair.move(); }
    void socket_reset() override { pair.ended_.insert(&pair); }
    Pair& pair;
  };
  void watch() {
    using io::Interest;
    a_->watch((forth_.wants_to_read() ? Interest::read : Interest::none) |
                  (back_.wants_to_write() ? Interest::write : Interest::none),
              &watcher_);
    b_->watch((back_.wants_to_read() ? Interest::read : Interest::none) |
                  (forth_.wants_to_write() ? Interest::write : Interest::none),
              &watcher_);
  }
  std::unique_ptr<io::TcpSocket> a_;
  std::unique_ptr<io::TcpSocket> b_;
  Direction forth_;
  Direction back_;
  std::unordered_set<Pair*>& ended_;
  Watcher watcher_{*this};
};

class PlainRelay final : public io::TcpListener::Events, public io::EventLoop::PassEvents {
 public:
  PlainRelay(io::EventLoop& loop, const Address& service) : loop_(loop), service_(service) {
    loop_.set_pass_events(this);
  }
  void accepted(io::TcpHandle visitor, const Address&, const Address&) override {
    auto service = loop_.connect_tcp(service_);
    if (!service) return;
    pairs_.insert(new Pair(loop_.adopt_tcp(std::move(visitor)), std::move(*service), ended_));
  }
  void end_of_pass(Time) override {
    for (Pair* pair : ended_) {
      pairs_.erase(pair);
      delete pair;
    }
    ended_.clear();
  }
  ~PlainRelay() {
    for (Pair* pair : pairs_) delete pair;
  }

 private:
  io::EventLoop& loop_;
  Address service_;
  std::unordered_set<Pair*> pairs_;
  std::unordered_set<Pair*> ended_;
};

int run(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: plain_relay SERVICE_PORT\n", stderr);
    return 2;
  }
  auto loop = net::AsioEventLoop::make();
  if (!loop) return 1;
  PlainRelay relay(**loop, *Address::from_literal("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1]))));
  auto listener = (*loop)->listen_tcp(*Address::parse("127.0.0.1:0"), false, relay);
  if (!listener) return 1;
  std::printf("port %u\n", (*listener)->local_address().port());
  std::fflush(stdout);
  std::jthread until_input_ends([&] {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    (*loop)->stop();
  });
  (*loop)->run();
  return 0;
}

}  // namespace
}  // namespace qmux

int main(int argc, char** argv) { return qmux::run(argc, argv); }

// SPDX-License-Identifier: MIT
//
// A client behind a slow uplink whose visitors all download at once.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "tunnel/fakes/tcp_end.h"
#include "tunnel/whole_tunnel.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::TcpEnd;

/// The local service: what asks for "bulk" gets bytes without end, anything else is answered with one byte.
class Service final : private io::TcpListener::Events {
 public:
  Service(sim::SimLoop& loop, const Address& local) : loop_(loop), listener_(*loop.listen_tcp(local, false, *this)) {}

 private:
  class Conversation final : private io::TcpSocketEvents {
   public:
    explicit Conversation(std::unique_ptr<io::TcpSocket> socket) : socket_(std::move(socket)) {
      socket_->watch(io::Interest::read, this);
    }

   private:
    void socket_readable() override {
      std::byte request[64];
      const MutableBytes room(request);
      const io::IoResult got = socket_->read({&room, 1});
      if (got.status != io::IoStatus::done) return;
      if (as_text(ConstBytes(request, got.count)) == "bulk") return socket_writable();
      const ConstBytes answer(request, 1);
      (void)socket_->write({&answer, 1});
      socket_->watch(io::Interest::read, this);
    }
    void socket_writable() override {
      static constexpr std::byte kBlock[16 * 1024]{};
      const ConstBytes block(kBlock);
      while (socket_->write({&block, 1}).status == io::IoStatus::done) {
      }
      socket_->watch(io::Interest::write, this);
    }
    void socket_reset() override {}

    std::unique_ptr<io::TcpSocket> socket_;
  };

  void accepted(io::TcpHandle visitor, const Address&, const Address&) override {
    conversations_.emplace_back(loop_.adopt_tcp(std::move(visitor)));
  }

  sim::SimLoop& loop_;
  std::deque<Conversation> conversations_;
  std::unique_ptr<io::TcpListener> listener_;
};

class SlowLink : public testing::WholeTunnel {
 protected:
  static constexpr std::uint64_t kUplinkBitsPerSecond = 4'000'000;

  void SetUp() override {
    const sim::LinkProperties uplink{
        .delay = 20ms, .rate_bits_per_second = kUplinkBitsPerSecond, .queue_bytes = 64 * 1024};
    sim::LinkProperties downlink = uplink;
    downlink.rate_bits_per_second = 20'000'000;
    set_paths(uplink, downlink);
    begin({.incoming_streams_max = 65'536});
  }

  TcpEnd& visit(const char* request) {
    TcpEnd& visitor = visitors_.emplace_back(*visitors_loop_.connect_tcp(server_->traffic_address(0)));
    visitor.send_when_connected(request);
    return visitor;
  }
  void download(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) visit("bulk");
  }
  [[nodiscard]] std::size_t received_bytes() const {
    std::size_t sum = 0;
    for (const TcpEnd& visitor : visitors_) sum += visitor.received.size();
    return sum;
  }
  [[nodiscard]] std::size_t lost() const {
    return static_cast<std::size_t>(std::ranges::count_if(visitors_, [](const auto& v) { return v.reset || v.ended; }));
  }
  /// From its connection to the first byte of the answer.
  Duration first_byte() {
    const Time begin = world_.now();
    const TcpEnd& visitor = visit("ping");
    EXPECT_TRUE(world_.run_until([&] { return !visitor.received.empty(); }, 30s));
    return world_.now() - begin;
  }

 private:
  Service service_{service_loop_, service_address()};
  std::deque<TcpEnd> visitors_;
};

TEST_F(SlowLink, downloads_without_number_cut_nothing) {
  download(1200);
  world_.run_for(90s);
  EXPECT_EQ(lost(), 0U);
  EXPECT_GT(received_bytes(), kUplinkBitsPerSecond / 8 * 90 * 7 / 10) << "the link is in use";
}

TEST_F(SlowLink, the_first_byte_of_a_new_visitor_comes_soon_beside_sixty_downloads) {
  download(60);
  world_.run_for(20s);
  for (int i = 0; i < 5; ++i) {
    EXPECT_LT(first_byte(), 300ms);
    world_.run_for(700ms);
  }
  EXPECT_EQ(lost(), 0U);
}

TEST_F(SlowLink, a_download_goes_on_within_seconds_once_a_silent_link_works_again) {
  download(1);
  world_.run_for(5s);
  set_silent(true);
  world_.run_for(20s);
  set_silent(false);
  const std::size_t before = received_bytes();
  EXPECT_TRUE(world_.run_until([&] { return received_bytes() > before + 100'000; }, limits::kSilentPathTimeMax));
  EXPECT_EQ(lost(), 0U);
}

}  // namespace
}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
//
// Resets through a whole server and client on a simulated network whose TCP loses nothing before a reset: what arrives there
// without a tunnel arrives with it.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tunnel/limits.h"
#include "tunnel/whole_tunnel.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;

/// A TCP end that sends a text, resets once the far end has all of it, and reads what comes meanwhile, or at a given rate.
class End final : private io::TcpSocketEvents {
 public:
  struct Part {
    std::string sends{};
    bool resets = false;
    bool reads = true;
    Duration read_pause{};
  };

  End(sim::SimLoop& loop, std::unique_ptr<io::TcpSocket> socket, Part part)
      : loop_(loop), socket_(std::move(socket)), part_(std::move(part)), again_(loop.timers(), [this] { act(); }) {
    again_.set(loop.now());
  }

  std::string received;
  bool ended = false;
  bool was_reset = false;

 private:
  void socket_readable() override { act(); }
  void socket_writable() override { act(); }
  void socket_reset() override { act(); }

  void act() {
    if (!socket_ || was_reset || ended) return;
    while (sent_ < part_.sends.size()) {
      const ConstBytes rest = as_bytes(part_.sends).subspan(sent_);
      const io::IoResult put = socket_->write({&rest, 1});
      if (put.status != io::IoStatus::done) break;
      sent_ += put.count;
    }
    if (part_.resets && sent_ == part_.sends.size() && socket_->unacknowledged_bytes() == 0) {
      socket_.reset();
      return;
    }
    if (part_.reads) read();
    const auto writing = sent_ < part_.sends.size() ? io::Interest::write : io::Interest::none;
    socket_->watch(part_.read_pause > 0ns || !part_.reads ? writing : writing | io::Interest::read, this);
    if (part_.resets || part_.read_pause > 0ns) again_.set(loop_.now() + std::max<Duration>(part_.read_pause, 1ms));
  }

  void read() {
    std::byte buffer[1024];
    const MutableBytes room(buffer);
    do {
      const io::IoResult got = socket_->read({&room, 1});
      received += as_text(ConstBytes(buffer, got.count));
      ended = got.status == io::IoStatus::end;
      was_reset = got.status == io::IoStatus::reset;
      if (got.status != io::IoStatus::done) return;
    } while (part_.read_pause == 0ns);
  }

  sim::SimLoop& loop_;
  std::unique_ptr<io::TcpSocket> socket_;
  const Part part_;
  std::size_t sent_ = 0;
  Timer again_;
};

class ResetsThroughATunnel : public testing::WholeTunnel, private io::TcpListener::Events {
 protected:
  void begin(const sim::LinkProperties& path) {
    sim::TcpProperties& tcp = world_.network().tcp_properties();
    tcp.reset_purges_chance = 0;
    tcp.reset_overtakes_chance = 0;
    set_paths(path, path);
    listener_ = *service_loop_.listen_tcp(service_address(), false, *this);
    WholeTunnel::begin();
  }

  /// Both parts, played to the end of `visitor_` or `service_` by reset.
  void play(End::Part visitor, End::Part service) {
    service_.reset();
    service_part_ = std::move(service);
    visitor_ = std::make_unique<End>(visitors_loop_, *visitors_loop_.connect_tcp(server_->traffic_address(0)),
                                     std::move(visitor));
    ASSERT_TRUE(world_.run_until([&] { return visitor_->was_reset || (service_ && service_->was_reset); }, 120s));
  }

  void accepted(io::TcpHandle handle, const Address& /*remote*/, const Address& /*local*/) override {
    service_ = std::make_unique<End>(service_loop_, service_loop_.adopt_tcp(std::move(handle)), service_part_);
  }

  /// Every path that a reset may overtake bytes on.
  static std::vector<sim::LinkProperties> paths() {
    std::vector<sim::LinkProperties> all;
    for (const Duration delay : {Duration(0ms), Duration(25ms), Duration(75ms)}) {
      for (const double loss : {0.0, 0.05}) all.push_back({.delay = delay, .loss = loss, .reordering = 2 * loss});
    }
    return all;
  }

  End::Part service_part_;
  std::unique_ptr<End> service_;
  std::unique_ptr<End> visitor_;
  std::unique_ptr<io::TcpListener> listener_;
};

class ResetsOnAPath : public ResetsThroughATunnel, public ::testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override { begin(paths()[GetParam()]); }
};

TEST_P(ResetsOnAPath, early_answer_over_an_unread_request_arrives) {
  const std::string answer(1'024, 'a');
  for (int i = 0; i < 20; ++i) {
    play({.sends = std::string(65'536, 'q')}, {.sends = answer, .resets = true, .reads = false});
    EXPECT_EQ(visitor_->received, answer);
    EXPECT_TRUE(visitor_->was_reset);
  }
}

TEST_P(ResetsOnAPath, large_answer_arrives_however_slowly_it_is_read) {
  const std::string answer(262'144, 'a');
  for (const Duration pause : {Duration(0ms), Duration(20ms)}) {
    play({.sends = "?", .read_pause = pause}, {.sends = answer, .resets = true});
    EXPECT_EQ(visitor_->received, answer);
    EXPECT_TRUE(visitor_->was_reset);
  }
}

TEST_P(ResetsOnAPath, request_of_a_visitor_who_resets_arrives_however_slowly_it_is_read) {
  const std::string request(262'144, 'q');
  for (const Duration pause : {Duration(0ms), Duration(20ms)}) {
    play({.sends = request, .resets = true}, {.read_pause = pause});
    EXPECT_EQ(service_->received, request);
    EXPECT_TRUE(service_->was_reset);
  }
}

INSTANTIATE_TEST_SUITE_P(DelayAndLoss, ResetsOnAPath, ::testing::Range<std::size_t>(0, 6));

TEST_F(ResetsThroughATunnel, one_whose_path_is_out_for_too_long_is_cut_and_counted) {
  begin({.delay = 25ms});
  service_part_ = {.sends = std::string(262'144, 'a'), .resets = true};
  visitor_ = std::make_unique<End>(visitors_loop_, *visitors_loop_.connect_tcp(server_->traffic_address(0)),
                                   End::Part{.read_pause = 10s});
  const Counters& counters = server_->worker(0).counters;
  ASSERT_TRUE(world_.run_until([&] { return counters.tunnels_closed_in_all() == 1; }, limits::kLastBytesTimeMax * 2));
  EXPECT_EQ(counters.tunnels_cut, 1U);
  ASSERT_TRUE(world_.run_until([&] { return visitor_->was_reset; }, 1h));
  EXPECT_FALSE(visitor_->ended);
}

}  // namespace
}  // namespace qmux::tunnel

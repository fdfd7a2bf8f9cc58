// SPDX-License-Identifier: MIT
//
// Paths whose MTU changes in mid-session, under traffic from the client to the server, at a round trip of 50 ms.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quic/limits.h"
#include "quic/path_mtu.h"
#include "unit/quic/quic_pair.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Datagrams of given sizes in turn: as fast as they go, or one an interval.
class DatagramFlow final : public DatagramHost {
 public:
  DatagramFlow(Side& side, std::vector<std::size_t> sizes, Duration interval)
      : side_(side), sizes_(std::move(sizes)), interval_(interval), timer_(side.loop.timers(), [this] { tick(); }) {
    side_.connection->set_datagram_host(this);
    if (!sizes_.empty()) tick();
  }
  explicit DatagramFlow(Side& side) : DatagramFlow(side, {}, Duration{}) {}

  void datagram_received(ConstBytes data) override {
    ++received;
    if (data.size() > 1000) large_bytes += data.size();
  }
  std::optional<OutgoingDatagram> next_datagram(std::size_t room, Time) override {
    const std::size_t bytes = sizes_.empty() ? 0 : sizes_[sent_ % sizes_.size()];
    if (whole_only && room < bytes) waiting_ = 0;
    if (waiting_ == 0) return std::nullopt;
    bytes_.assign(std::min(room, bytes), std::byte{'d'});
    return OutgoingDatagram{bytes_, {}};
  }
  void datagram_sent() override {
    ++sent_;
    --waiting_;
  }
  std::size_t flows_waiting() const override { return 1; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

  bool paused = false;
  bool whole_only = false;        ///< what there is no room for is dropped
  std::uint64_t large_bytes = 0;  ///< received, in large datagrams
  std::uint64_t received = 0;     ///< datagrams

 private:
  void tick() {
    if (interval_ == Duration{}) {
      waiting_ = UINT64_MAX;
    } else {
      waiting_ = paused ? 0 : std::min<std::uint64_t>(waiting_ + 1, 10);
      timer_.set(side_.loop.now() + interval_);
    }
    side_.connection->datagrams_waiting();
    QuicPair::act(side_);
  }

  Side& side_;
  const std::vector<std::size_t> sizes_;
  const Duration interval_;
  std::uint64_t waiting_ = 0;
  std::uint64_t sent_ = 0;
  std::vector<std::byte> bytes_;
  Timer timer_;
};

enum class Traffic : std::uint8_t {
  stream,
  datagrams,
  steady_datagrams,         ///< large ones, far below what the path takes
  large_and_small,          ///< likewise, and every other one small
  stream_beside_datagrams,  ///< small ones, which get through in any case
};
constexpr std::array kAllTraffic{Traffic::stream, Traffic::datagrams, Traffic::steady_datagrams,
                                 Traffic::large_and_small, Traffic::stream_beside_datagrams};
constexpr std::array kBothControls{CongestionControl::bbr, CongestionControl::cubic};

sim::LinkProperties link_of(std::size_t mtu) {
  sim::LinkProperties link;
  link.mtu_bytes = mtu;
  link.delay = milliseconds(25);
  link.rate_bits_per_second = 20'000'000;
  return link;
}

struct Scene {
  explicit Scene(Traffic traffic, CongestionControl control, const sim::LinkProperties& link = link_of(1500))
      : pair(1, link, transport(control), transport(control)) {
    pair.world.world.network().set_default_link(link);
    nat = &pair.world.world.network().add_nat("nat");
    pair.world.a_host.put_behind(*nat);
    pair.establish();
    pair.world.run_for(seconds(1));
    full_bytes = client().packet_bytes();
    theirs = std::make_unique<DatagramFlow>(pair.server);
    send(pair.client, traffic);
    pair.world.run_for(seconds(2));
  }
  static TransportConfig transport(CongestionControl control) {
    TransportConfig config;
    config.congestion_control = control;
    return config;
  }
  void send(Side& side, Traffic traffic) {
    Connection& connection = *side.connection;
    std::unique_ptr<DatagramFlow>& flow = &side == &pair.client ? mine : theirs;
    if (traffic == Traffic::stream || traffic == Traffic::stream_beside_datagrams) {
      pumps.emplace_back(*connection.open_stream());
    }
    const auto datagrams = [&](std::vector<std::size_t> sizes, Duration interval) {
      flow = std::make_unique<DatagramFlow>(side, std::move(sizes), interval);
    };
    if (traffic == Traffic::datagrams) datagrams({9999}, Duration{});
    if (traffic == Traffic::steady_datagrams) datagrams({1416}, milliseconds(20));
    if (traffic == Traffic::large_and_small) datagrams({1416, 100}, milliseconds(5));
    if (traffic == Traffic::stream_beside_datagrams) datagrams({100}, milliseconds(5));
    QuicPair::act(side);
  }
  void set_mtu(std::size_t bytes) {
    sim::Network& network = pair.world.world.network();
    network.link(*nat, pair.world.b_host).properties().mtu_bytes = bytes;
    network.link(pair.world.b_host, *nat).properties().mtu_bytes = bytes;
  }
  void set_loss(double loss) {
    sim::Network& network = pair.world.world.network();
    network.link(*nat, pair.world.b_host).properties().loss = loss;
    network.link(pair.world.b_host, *nat).properties().loss = loss;
  }
  /// What has come of streams and in large datagrams.
  [[nodiscard]] std::uint64_t arrived(const Side& side) const {
    std::uint64_t bytes = (&side == &pair.server ? theirs : mine)->large_bytes;
    for (const TestStream& stream : side.accepted) {
      if (!stream.received.starts_with(static_cast<char>(Side::kFiller))) bytes += stream.received.size();
    }
    return bytes;
  }
  /// The longest time in which nothing of that has come, within `duration`.
  Duration longest_stall(const Side& side, Duration duration) {
    constexpr Duration kStep = milliseconds(5);
    Duration longest{};
    Duration stall{};
    std::uint64_t before = arrived(side);
    for (Duration passed{}; passed < duration; passed += kStep) {
      pair.world.run_for(kStep);
      stall = arrived(side) == before ? stall + kStep : Duration{};
      before = arrived(side);
      longest = std::max(longest, stall);
    }
    return longest;
  }
  Connection& client() { return *pair.client.connection; }
  Connection& server() { return *pair.server.connection; }
  [[nodiscard]] bool alive() const { return !pair.client.cause && !pair.server.cause; }

  QuicPair pair;
  sim::Nat* nat = nullptr;
  std::size_t full_bytes = 0;
  std::deque<Pump> pumps;
  std::unique_ptr<DatagramFlow> mine;
  std::unique_ptr<DatagramFlow> theirs;
};

std::string text_of(Traffic traffic, CongestionControl control) {
  return "traffic " + std::to_string(static_cast<int>(traffic)) + ", congestion control " +
         std::to_string(static_cast<int>(control));
}

struct Narrowing {
  std::size_t mtu_bytes;
  std::size_t packet_bytes;
};
constexpr std::array kNarrowings{Narrowing{1400, 1342}, Narrowing{1280, 1232}, Narrowing{1228, 1200}};

TEST(PathShrinks, what_is_sent_goes_on_within_700_ms_and_grows_again_with_the_path) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : kAllTraffic) {
      SCOPED_TRACE(text_of(traffic, control));
      Scene scene(traffic, control);
      const std::size_t full_room = scene.client().datagram_room();
      ASSERT_EQ(scene.client().packet_bytes(), 1452U);
      for (const Narrowing& narrowing : kNarrowings) {
        scene.set_mtu(narrowing.mtu_bytes);
        EXPECT_LT(scene.longest_stall(scene.pair.server, seconds(3)), milliseconds(700)) << narrowing.mtu_bytes;
        EXPECT_EQ(scene.client().packet_bytes(), narrowing.packet_bytes);
        EXPECT_EQ(scene.client().datagram_room(), full_room - (1452 - narrowing.packet_bytes));
      }
      scene.set_mtu(1500);
      EXPECT_LT(scene.longest_stall(scene.pair.server, milliseconds(5500)), milliseconds(300));
      EXPECT_EQ(scene.client().packet_bytes(), 1452U);
      EXPECT_EQ(scene.client().datagram_room(), full_room);
      EXPECT_TRUE(scene.alive());
    }
  }
}

TEST(PathShrinks, a_first_link_that_says_so_costs_less_than_200_ms) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : kAllTraffic) {
      SCOPED_TRACE(text_of(traffic, control));
      Scene scene(traffic, control);
      for (const Narrowing& narrowing : kNarrowings) {
        scene.pair.world.a_host.set_interface_mtu(narrowing.mtu_bytes);
        EXPECT_LT(scene.longest_stall(scene.pair.server, seconds(2)), milliseconds(200)) << narrowing.mtu_bytes;
        EXPECT_EQ(scene.client().packet_bytes(), narrowing.packet_bytes);
      }
      scene.pair.world.a_host.set_interface_mtu(1500);
      EXPECT_TRUE(scene.pair.run_until([&] { return scene.client().packet_bytes() == 1452; }, milliseconds(5500)));
      EXPECT_TRUE(scene.alive());
    }
  }
}

TEST(PathShrinks, a_nat_that_moves_us_to_a_narrower_path_costs_less_than_1500_ms_both_ways) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : kAllTraffic) {
      for (const bool from_server : {false, true}) {
        SCOPED_TRACE(text_of(traffic, control) + (from_server ? ", from the server" : ", from the client"));
        Scene scene(from_server ? Traffic::steady_datagrams : traffic, control);
        if (from_server) {
          scene.send(scene.pair.server, traffic);
          scene.pair.world.run_for(seconds(2));
        }
        Connection& sender = from_server ? scene.server() : scene.client();
        const Side& receiver = from_server ? scene.pair.client : scene.pair.server;
        scene.set_mtu(1400);
        scene.nat->rebind();
        EXPECT_LT(scene.longest_stall(receiver, seconds(4)), milliseconds(1500));
        EXPECT_EQ(sender.packet_bytes(), 1342U);
        scene.set_mtu(1500);
        scene.nat->rebind();
        EXPECT_TRUE(scene.pair.run_until([&] { return sender.packet_bytes() == 1452; }, milliseconds(5500)));
        EXPECT_TRUE(scene.alive());
      }
    }
  }
}

TEST(PathShrinks, an_outage_costs_no_size_once_something_gets_through_again) {
  sim::LinkProperties loopback = link_of(65535);
  loopback.delay = std::chrono::microseconds(50);
  loopback.rate_bits_per_second = 200'000'000;
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : {Traffic::stream, Traffic::steady_datagrams}) {
      for (const sim::LinkProperties& link : {link_of(1500), loopback}) {
        SCOPED_TRACE(text_of(traffic, control) + ", MTU " + std::to_string(link.mtu_bytes));
        Scene scene(traffic, control, link);
        EXPECT_EQ(scene.client().packet_bytes(), scene.full_bytes);
        scene.pair.world.world.network().partition(*scene.nat, scene.pair.world.b_host, Duration{}, seconds(5));
        scene.pair.world.run_for(seconds(5));
        EXPECT_EQ(scene.client().packet_bytes(), PathMtu::kBaseBytes);
        // Probe timeouts double (RFC 9002 section 6.2.1), so the next may be as far away as the outage was long.
        const std::uint64_t before = scene.arrived(scene.pair.server);
        ASSERT_TRUE(scene.pair.run_until([&] { return scene.arrived(scene.pair.server) != before; }, seconds(6)));
        // As large as what is sent.
        const std::size_t wanted = traffic == Traffic::stream ? scene.full_bytes : 1449;
        EXPECT_TRUE(scene.pair.run_until([&] { return scene.client().packet_bytes() >= wanted; }, milliseconds(500)));
        EXPECT_TRUE(scene.alive());
      }
    }
  }
}

TEST(PathShrinks, loss_of_a_tenth_makes_packets_smaller_for_moments_at_most) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : kAllTraffic) {
      SCOPED_TRACE(text_of(traffic, control));
      Scene scene(traffic, control);
      scene.set_loss(0.1);
      constexpr Duration kStep = milliseconds(5);
      Duration longest{};
      Duration smaller{};
      Duration smaller_in_all{};
      for (Duration passed{}; passed < seconds(30); passed += kStep) {
        scene.pair.world.run_for(kStep);
        const bool full = scene.client().packet_bytes() >= 1449;
        smaller = full ? Duration{} : smaller + kStep;
        if (!full) smaller_in_all += kStep;
        longest = std::max(longest, smaller);
      }
      EXPECT_LT(smaller_in_all, seconds(3));
      EXPECT_LT(longest, limits::kPathMtuRestTimeMin + seconds(1))
          << "one rest, where all attempts were lost by chance";
    }
  }
}

TEST(PathShrinks, a_path_that_does_not_is_used_in_full_even_when_its_queue_overflows) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : {Traffic::stream, Traffic::datagrams}) {
      SCOPED_TRACE(text_of(traffic, control));
      sim::LinkProperties link = link_of(1500);
      link.queue_bytes = 30'000;
      Scene scene(traffic, control, link);
      std::size_t smallest = SIZE_MAX;
      for (int i = 0; i < 2000; ++i) {
        scene.pair.world.run_for(milliseconds(5));
        smallest = std::min(smallest, scene.client().packet_bytes());
      }
      EXPECT_EQ(smallest, 1452U);
    }
  }
}

TEST(PathShrinks, no_datagram_is_risked_to_see_whether_it_takes_more_again) {
  for (const CongestionControl control : kBothControls) {
    for (const Traffic traffic : {Traffic::steady_datagrams, Traffic::large_and_small}) {
      SCOPED_TRACE(text_of(traffic, control));
      Scene scene(traffic, control);
      scene.set_mtu(1400);
      scene.pair.world.run_for(seconds(3));
      const auto lost_so_far = [&] {
        scene.mine->paused = true;
        scene.pair.world.run_for(seconds(1));
        scene.mine->paused = false;
        return scene.mine->sent() - scene.theirs->received;
      };
      const std::uint64_t lost_when_it_shrank = lost_so_far();
      const int fillers = scene.pair.client.fillers;
      scene.pair.world.run_for(seconds(60));
      EXPECT_GE(scene.pair.client.fillers, fillers + 2) << "it was tried";
      EXPECT_EQ(lost_so_far(), lost_when_it_shrank);
      EXPECT_TRUE(scene.alive());
    }
  }
}

TEST(PathShrinks, payloads_that_may_not_be_cut_pass_again_when_the_path_takes_them) {
  for (const bool said : {false, true}) {
    Scene scene(Traffic::steady_datagrams, CongestionControl::bbr);
    scene.mine->whole_only = true;
    const auto narrow = [&](std::size_t mtu) {
      said ? scene.pair.world.a_host.set_interface_mtu(mtu) : scene.set_mtu(mtu);
    };
    narrow(1400);
    scene.pair.world.run_for(seconds(2));
    const std::uint64_t before = scene.arrived(scene.pair.server);
    scene.pair.world.run_for(seconds(1));
    EXPECT_EQ(scene.arrived(scene.pair.server), before);
    EXPECT_EQ(scene.client().packet_bytes(), 1342U) << "found out without them";
    narrow(1500);
    scene.pair.world.run_for(seconds(5));
    EXPECT_LT(scene.longest_stall(scene.pair.server, seconds(1)), milliseconds(100));
    EXPECT_GE(scene.client().packet_bytes(), 1449U);
  }
}

}  // namespace
}  // namespace qmux::quic

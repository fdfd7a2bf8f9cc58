// SPDX-License-Identifier: MIT
//
// UDP from a visitor to a local service and back, through a server and clients on a simulated network.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quic/quic_pair.h"
#include "sim/world/host.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"
#include "sim/world/world.h"
#include "tunnel/client/client.h"
#include "tunnel/limits.h"
#include "tunnel/server/server.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;

/// A UDP socket of the test's: keeps what comes, and may answer it.
class UdpEnd final : public io::DatagramSocket::Events {
 public:
  UdpEnd(sim::SimLoop& loop, const Address& local, const Address& remote = {})
      : remote_(remote),
        socket_(*loop.open_datagram({.local = local, .remote = remote, .fragmentable = true}, *this)) {}

  void send(const std::string& payload) { send_to(remote_, payload); }
  void send_to(const Address& remote, const std::string& payload) {
    (void)socket_->send({.local = {}, .remote = remote, .bytes = as_bytes(payload), .segment_bytes = payload.size()});
  }
  [[nodiscard]] Address address() const { return socket_->local_address(); }

  std::vector<std::string> received;
  std::vector<Address> senders;  ///< of each
  bool echo = false;

 private:
  void datagrams_readable() override {
    std::array<io::PacketRun, 8> runs;
    while (const std::size_t count = socket_->receive(runs)) {
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < runs[i].packet_count(); ++j) {
          received.emplace_back(as_text(runs[i].packet(j)));
          senders.push_back(runs[i].remote);
        }
      }
      if (!echo) continue;
      for (; answered_ < received.size(); ++answered_) send_to(senders[answered_], received[answered_]);
    }
  }
  void datagrams_writable() override {}

  const Address remote_;
  std::size_t answered_ = 0;
  std::unique_ptr<io::DatagramSocket> socket_;
};

struct Shape {
  std::size_t workers = 1;
  UdpOptions udp{};
  std::optional<Duration> client_idle_timeout{};  ///< empty: as the server's
  std::string service_host{};                     ///< empty: the client's own address
};

class UdpTunnel {
 private:
  // Loops go after those who use them, and the world last.
  sim::World world_{1};
  const Shape shape_;
  sim::Host& server_host_ = world_.network().add_host("server");
  sim::Host& visitors_host_ = world_.network().add_host("visitors");
  sim::SimLoop visitors_{visitors_host_, "visitors"};
  std::shared_ptr<const quic::Credentials> server_credentials_ =
      quic::load_credentials("server", "ca", quic::Credentials::Purpose::server);
  std::shared_ptr<const quic::Credentials> client_credentials_ =
      quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);
  std::vector<std::unique_ptr<sim::SimLoop>> workers_;

 public:
  explicit UdpTunnel(const Shape& shape = {}) : shape_(shape) {
    std::vector<io::EventLoop*> loops;
    for (std::size_t i = 0; i < shape.workers; ++i) {
      workers_.push_back(std::make_unique<sim::SimLoop>(server_host_, "worker"));
      loops.push_back(workers_.back().get());
    }
    ServerOptions options;
    options.listeners.push_back({.quic_address = server_host_.v4(4433),
                                 .traffic_address = server_host_.v4(53),
                                 .protocol = VisitorProtocol::udp,
                                 .udp_options = shape.udp});
    options.credentials = server_credentials_;
    server = std::make_unique<Server>(std::move(options), loops, [] {});
    EXPECT_TRUE(server->start());
  }

  struct Side {
    sim::Host* host = nullptr;
    std::unique_ptr<sim::SimLoop> loop;
    std::unique_ptr<sim::SimLoop> service_loop;
    std::unique_ptr<UdpEnd> service;
    std::unique_ptr<Client> client;
  };

  Side& add_client(bool with_service = true) {
    sim::Host& host = world.network().add_host("client" + std::to_string(clients.size()));
    Side& side = clients.emplace_back();
    side.host = &host;
    side.loop = std::make_unique<sim::SimLoop>(host, "client");
    side.service_loop = std::make_unique<sim::SimLoop>(host, "service");
    if (with_service) {
      side.service = std::make_unique<UdpEnd>(*side.service_loop, host.v4(5353));
      side.service->echo = true;
    }
    ClientOptions options{
        .client_id = "client" + std::to_string(clients.size()),
        .servers = {{.address = {.host = server_host_.v4(0).host_text(), .port = 4433}, .server_name = "server.test"}},
        .local_service = {.address = {.host =
                                          shape_.service_host.empty() ? host.v4(0).host_text() : shape_.service_host,
                                      .port = 5353}},
        .credentials = client_credentials_,
        .udp_options = shape_.udp,
        .drain_timeout = Duration::zero()};
    options.udp_options.session_idle_timeout = shape_.client_idle_timeout.value_or(shape_.udp.session_idle_timeout);
    side.client = std::make_unique<Client>(std::move(options), std::vector<io::EventLoop*>{side.loop.get()}, [] {});
    side.client->start();
    const std::size_t wanted = server->pool(0).size() + 1;
    EXPECT_TRUE(world.run_until([&] { return server->pool(0).size() == wanted; }, 30s));
    return side;
  }
  void block_first_client() {
    sim::Host& client = *clients.front().host;
    world.network().link(server_host_, client).set_blocked(true);
    world.network().link(client, server_host_).set_blocked(true);
  }
  std::unique_ptr<UdpEnd> visitor() {
    return std::make_unique<UdpEnd>(visitors_, visitors_host_.v4(0), server->traffic_address(0));
  }
  /// The answer to `payload`, or nothing within a second.
  std::string ask(UdpEnd& visitor, const std::string& payload) {
    visitor.received.clear();
    visitor.send(payload);
    if (!world.run_until([&] { return !visitor.received.empty(); }, 1s)) return "nothing";
    return visitor.received.front();
  }
  [[nodiscard]] std::uint64_t server_drops(UdpDrop why) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < server->worker_count(); ++i) sum += server->worker(i).counters.udp.dropped_for(why);
    return sum;
  }
  [[nodiscard]] const UdpCounters& client_counters(std::size_t i = 0) const {
    return clients[i].client->worker(0).state().counters.udp;
  }
  /// The server's, of all workers.
  [[nodiscard]] UdpCounters sum() const {
    Counters all;
    for (std::size_t i = 0; i < server->worker_count(); ++i) add(all, server->worker(i).counters);
    return all.udp;
  }

  sim::World& world = world_;
  std::deque<Side> clients;
  std::unique_ptr<Server> server;
};

TEST(UdpTunnel, carries_payloads_of_all_sizes_and_looks_both_ways) {
  UdpTunnel tunnel;
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  for (const std::size_t size : {0U, 1U, 4U, 5U, 9U, 1200U, 1400U, 1452U, 1453U, 9000U, 65'507U}) {
    for (const char lead : {'\0', '\x80', '\xff'}) {
      const std::string payload =
          std::string(std::min<std::size_t>(size, 12), lead) + std::string(size - std::min<std::size_t>(size, 12), 'x');
      EXPECT_EQ(tunnel.ask(*visitor, payload), payload) << size;
    }
  }
  EXPECT_EQ(tunnel.sum().sessions_opened, 1U);
  EXPECT_EQ(tunnel.client_counters().sessions_opened, 1U);
}

TEST(UdpTunnel, keeps_all_of_what_a_busy_machine_held_back_for_a_moment) {
  UdpTunnel tunnel;
  auto& side = tunnel.add_client();
  side.service->echo = false;
  const auto visitor = tunnel.visitor();
  constexpr std::size_t kPayloads = 800;  // of 1,200 bytes: 38 ms at 200 Mbit/s, at once
  for (std::size_t i = 0; i < kPayloads; ++i) visitor->send(std::string(1200, 'x'));
  tunnel.world.run_for(2s);
  EXPECT_EQ(side.service->received.size(), kPayloads);
  EXPECT_EQ(tunnel.server_drops(UdpDrop::queue_full), 0U);
}

TEST(UdpTunnel, says_and_counts_that_the_service_is_down) {
  UdpTunnel tunnel;
  tunnel.add_client(false);
  const auto visitor = tunnel.visitor();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tunnel.ask(*visitor, "anybody?"), "nothing");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(tunnel.client_counters().service_unreachable, 3U);
  const std::string line = "local service unreachable by UDP service=";
  ASSERT_TRUE(log.contains(line)) << log;
  EXPECT_TRUE(log.contains("cause=\"connection refused: no program listens on that UDP port\"")) << log;
  EXPECT_EQ(log.find(line, log.find(line) + 1), std::string::npos) << "once in ten seconds: " << log;
  EXPECT_TRUE(log.contains("udp_service_unreachable=")) << log;
}

TEST(UdpTunnel, gives_each_visitor_a_socket_of_his_own_towards_the_service) {
  UdpTunnel tunnel;
  auto& side = tunnel.add_client();
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (int i = 0; i < 20; ++i) visitors.push_back(tunnel.visitor());
  for (const auto& visitor : visitors) EXPECT_EQ(tunnel.ask(*visitor, "q"), "q");
  const std::set<std::uint16_t> ports = [&] {
    std::set<std::uint16_t> all;
    for (const Address& sender : side.service->senders) all.insert(sender.port());
    return all;
  }();
  EXPECT_EQ(ports.size(), visitors.size());
}

TEST(UdpTunnel, finds_a_client_on_another_worker) {
  UdpTunnel tunnel({.workers = 4});
  tunnel.add_client();
  for (int i = 0; i < 32; ++i) {
    const auto visitor = tunnel.visitor();
    EXPECT_EQ(tunnel.ask(*visitor, "to whom it concerns"), "to whom it concerns");
  }
  EXPECT_GT(tunnel.sum().parcels_moved, 0U);
}

TEST(UdpTunnel, drops_and_counts_what_comes_while_no_client_is_there) {
  UdpTunnel tunnel;
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, "anybody?"), "nothing");
  EXPECT_EQ(tunnel.server_drops(UdpDrop::no_client), 1U);
  tunnel.add_client();
  EXPECT_EQ(tunnel.ask(*visitor, "anybody?"), "anybody?");
}

TEST(UdpTunnel, sends_the_next_packet_to_a_live_client_when_one_has_gone) {
  for (const std::size_t workers : {1U, 4U}) {
    UdpTunnel tunnel({.workers = workers});
    tunnel.add_client();
    tunnel.add_client();
    const auto visitor = tunnel.visitor();
    EXPECT_EQ(tunnel.ask(*visitor, "first"), "first");
    const std::size_t serving = tunnel.clients[0].service->received.empty() ? 1 : 0;
    tunnel.clients[serving].client->stop();
    ASSERT_TRUE(tunnel.world.run_until([&] { return tunnel.server->pool(0).size() == 1; }, 5s));
    tunnel.world.run_for(10ms);
    EXPECT_EQ(tunnel.ask(*visitor, "second"), "second");
    EXPECT_EQ(tunnel.clients[1 - serving].service->received.size(), 1U);
    EXPECT_EQ(tunnel.sum().sessions_lost, 1U);
  }
}

TEST(UdpTunnel, counts_sessions_when_it_balances) {
  UdpTunnel tunnel;
  tunnel.add_client();
  tunnel.add_client();
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (int i = 0; i < 10; ++i) {
    visitors.push_back(tunnel.visitor());
    EXPECT_EQ(tunnel.ask(*visitors.back(), "x"), "x");
  }
  EXPECT_EQ(tunnel.clients[0].service->received.size(), 5U);
  EXPECT_EQ(tunnel.clients[1].service->received.size(), 5U);
  EXPECT_EQ(tunnel.server->pool(0).assignments(), 10U);
}

TEST(UdpTunnel, ends_a_session_after_its_idle_time_and_its_assignment) {
  for (const std::size_t workers : {1U, 4U}) {
    UdpTunnel tunnel({.workers = workers, .udp = {.session_idle_timeout = 10s}});
    tunnel.add_client();
    const auto visitor = tunnel.visitor();
    EXPECT_EQ(tunnel.ask(*visitor, "x"), "x");
    tunnel.world.run_for(9s);
    EXPECT_EQ(tunnel.ask(*visitor, "still me"), "still me");
    EXPECT_EQ(tunnel.sum().sessions_opened, 1U);
    tunnel.world.run_for(11s);
    EXPECT_EQ(tunnel.server->pool(0).assignments(), 0U);
    EXPECT_EQ(tunnel.sum().sessions_idle, 1U);
    EXPECT_EQ(tunnel.client_counters().sessions_idle + tunnel.client_counters().sessions_closed, 1U);
    EXPECT_EQ(tunnel.ask(*visitor, "again"), "again");
    EXPECT_EQ(tunnel.sum().sessions_opened, 2U);
  }
}

TEST(UdpTunnel, ends_at_the_client_when_the_server_has_ended_it) {
  // The client by itself would wait for another minute.
  UdpTunnel tunnel({.udp = {.session_idle_timeout = 10s}, .client_idle_timeout = 70s});
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, "x"), "x");
  tunnel.world.run_for(11s);
  EXPECT_EQ(tunnel.sum().sessions_idle, 1U);
  EXPECT_EQ(tunnel.client_counters().sessions_closed, 1U);
  EXPECT_EQ(tunnel.client_counters().sessions_idle, 0U);
  EXPECT_EQ(tunnel.ask(*visitor, "again"), "again");
  EXPECT_EQ(tunnel.client_counters().sessions_opened, 2U);
}

TEST(UdpTunnel, keeps_a_flood_under_one_address_within_its_share) {
  UdpTunnel tunnel;
  tunnel.add_client();
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (std::size_t i = 0; i < limits::kUdpSessionsPerSourceMax + 10; ++i) {
    visitors.push_back(tunnel.visitor());
    visitors.back()->send("x");
    if (i % 100 == 0) tunnel.world.run_for(100ms);
  }
  tunnel.world.run_for(1s);
  EXPECT_EQ(tunnel.server->pool(0).assignments(), limits::kUdpSessionsPerSourceMax);
  EXPECT_EQ(tunnel.sum().sessions_evicted, 10U);
  EXPECT_EQ(tunnel.client_counters().sessions_closed, 10U) << "the client keeps no socket of theirs either";
  // The latest are there, and who was evicted comes anew at the price of the next.
  EXPECT_EQ(tunnel.ask(*visitors.back(), "y"), "y");
  EXPECT_EQ(tunnel.ask(*visitors.front(), "y"), "y");
  EXPECT_EQ(tunnel.server->pool(0).assignments(), limits::kUdpSessionsPerSourceMax);
}

TEST(UdpTunnel, lets_a_flood_of_new_ports_under_one_address_begin_no_more_than_its_share_in_a_second) {
  UdpTunnel tunnel;
  tunnel.add_client();
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (std::size_t i = 0; i < 2 * limits::kUdpSessionsPerSourceMax; ++i) {
    visitors.push_back(tunnel.visitor());
    visitors.back()->send("x");
    if (i % 1000 == 0) tunnel.world.run_for(10ms);
  }
  tunnel.world.run_for(200ms);
  EXPECT_GE(tunnel.sum().sessions_opened, limits::kUdpSessionsPerSourceMax);
  EXPECT_LE(tunnel.sum().sessions_opened, limits::kUdpSessionsPerSourceMax * 5 / 4);
  EXPECT_GE(tunnel.server_drops(UdpDrop::too_many_sessions), limits::kUdpSessionsPerSourceMax * 3 / 4);
  // Who has a session keeps it meanwhile, and later another one may begin.
  tunnel.world.run_for(1s);
  EXPECT_EQ(tunnel.ask(*visitors.back(), "y"), "y");
}

TEST(UdpTunnel, a_new_session_may_end_the_last_one_of_the_same_address) {
  UdpTunnel tunnel({.udp = {.sessions_max = 1}});
  tunnel.add_client();
  const auto one = tunnel.visitor();
  const auto other = tunnel.visitor();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(tunnel.ask(*one, "one"), "one");
    EXPECT_EQ(tunnel.ask(*other, "other"), "other");
  }
  EXPECT_EQ(tunnel.sum().sessions_evicted, 5U);
  EXPECT_EQ(tunnel.server->pool(0).assignments(), 1U);
}

TEST(UdpTunnel, counts_what_the_kernel_dropped_before_the_program_could_look_at_it) {
  UdpTunnel tunnel;
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, "x"), "x");
  // More than the server's socket holds, at one instant.
  constexpr int kPayloads = 100;
  for (int i = 0; i < kPayloads; ++i) visitor->send(std::string(65'507, 'x'));
  tunnel.world.run_for(1s);
  const UdpCounters& counters = tunnel.server->worker(0).counters.udp;
  visitor->send("reported with the next payload");
  tunnel.world.run_for(1s);
  EXPECT_GT(counters.overflowed, 10U);
  EXPECT_EQ(counters.payloads_received + counters.overflowed, kPayloads + 2U);
}

TEST(UdpTunnel, goes_on_when_the_service_was_down_for_a_while) {
  UdpTunnel tunnel;
  auto& side = tunnel.add_client(false);
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, "x"), "nothing");
  EXPECT_EQ(tunnel.ask(*visitor, "x"), "nothing");
  side.service = std::make_unique<UdpEnd>(*side.service_loop, side.loop->host().v4(5353));
  side.service->echo = true;
  EXPECT_EQ(tunnel.ask(*visitor, "now"), "now");
  EXPECT_EQ(tunnel.client_counters().sessions_opened, 1U);
}

TEST(UdpTunnel, comes_back_to_an_address_of_the_service_that_was_not_there_at_first) {
  UdpTunnel tunnel({.service_host = "client0"});  // an IPv4 address and an IPv6 address
  auto& side = tunnel.add_client(false);
  const auto visitor = tunnel.visitor();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(tunnel.ask(*visitor, "x"), "nothing");  // once to each
  side.service = std::make_unique<UdpEnd>(*side.service_loop, side.loop->host().v6(5353));
  side.service->echo = true;
  EXPECT_EQ(tunnel.ask(*visitor, "to the other one"), "nothing");
  EXPECT_EQ(tunnel.ask(*visitor, "now"), "now");
  EXPECT_EQ(tunnel.ask(*visitor, "and again"), "and again");
}

TEST(UdpTunnel, goes_on_when_the_service_s_name_was_not_found_for_a_while) {
  UdpTunnel tunnel({.service_host = "service"});
  auto& side = tunnel.add_client();
  const auto visitor = tunnel.visitor();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tunnel.ask(*visitor, "x"), "nothing");
  tunnel.world.network().set_name("service", {side.loop->host().v4(0)});
  tunnel.world.run_for(limits::kServiceRetryInterval);
  EXPECT_EQ(tunnel.ask(*visitor, "now"), "now");
  EXPECT_EQ(tunnel.client_counters().sessions_opened, 1U);
}

TEST(UdpTunnel, drops_what_does_not_fit_where_it_may_not_be_cut) {
  UdpTunnel tunnel({.udp = {.fragmentation = false, .datagram_bytes_max = 1200}});
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  tunnel.world.run_for(1s);  // by then the path is known to take more than QUIC begins with
  EXPECT_EQ(tunnel.ask(*visitor, std::string(1196, 'x')), std::string(1196, 'x'));
  EXPECT_EQ(tunnel.ask(*visitor, std::string(1197, 'x')), "nothing");
  EXPECT_EQ(tunnel.server_drops(UdpDrop::too_large), 1U);
}

TEST(UdpTunnel, takes_no_payload_over_the_configured_size) {
  UdpTunnel tunnel({.udp = {.payload_bytes_max = 500}});
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, std::string(500, 'x')), std::string(500, 'x'));
  EXPECT_EQ(tunnel.ask(*visitor, std::string(501, 'x')), "nothing");
  EXPECT_EQ(tunnel.server_drops(UdpDrop::too_large), 1U);
}

TEST(UdpTunnel, accounts_for_what_waits_when_its_client_goes) {
  UdpTunnel tunnel;
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  for (int i = 0; i < 3; ++i) visitor->send(std::string(65'507, 'x'));
  const UdpCounters& server = tunnel.server->worker(0).counters.udp;
  ASSERT_TRUE(tunnel.world.run_until([&] { return server.payloads_received == 3; }, 1s));
  tunnel.clients[0].client->stop();
  ASSERT_TRUE(tunnel.world.run_until([&] { return tunnel.server->pool(0).size() == 0; }, 5s));
  EXPECT_GT(server.dropped_for(UdpDrop::session_gone), 0U);
  EXPECT_EQ(server.payloads_sent + server.dropped_in_all(), 3U);
}

TEST(UdpTunnel, accounts_for_what_waits_for_the_service_s_address_when_the_connection_goes) {
  UdpTunnel tunnel({.service_host = "client0"});
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  visitor->send("x");
  const UdpCounters& client = tunnel.client_counters();
  ASSERT_TRUE(tunnel.world.run_until([&] { return client.datagrams_received == 1; }, 1s));
  tunnel.clients[0].client->stop();
  tunnel.world.run_for(1s);
  EXPECT_EQ(client.payloads_delivered, 0U);
  EXPECT_EQ(client.dropped_for(UdpDrop::no_socket), 1U);
}

TEST(UdpTunnel, does_not_suspect_a_client_for_what_it_was_never_sent) {
  UdpTunnel tunnel({.udp = {.payload_bytes_max = 500}});
  tunnel.add_client();
  tunnel.add_client();
  tunnel.world.run_for(4s);  // until nothing but heartbeats is heard of them
  // Its session is with one of them, and no packet of it leaves the server.
  const auto dropped = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*dropped, std::string(501, 'x')), "nothing");
  tunnel.world.run_for(1s);
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (int i = 0; i < 9; ++i) {
    visitors.push_back(tunnel.visitor());
    EXPECT_EQ(tunnel.ask(*visitors.back(), "x"), "x");
  }
  // With the one who was dropped, five each.
  EXPECT_EQ(std::max(tunnel.clients[0].service->received.size(), tunnel.clients[1].service->received.size()), 5U);
}

TEST(UdpTunnel, a_flood_of_new_sessions_does_not_end_one_that_was_answered) {
  UdpTunnel tunnel({.udp = {.sessions_max = 10}});
  auto& side = tunnel.add_client();
  const auto answered = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*answered, "first"), "first");
  const Address before = side.service->senders.back();
  side.service->echo = false;
  std::vector<std::unique_ptr<UdpEnd>> flood;
  for (int i = 0; i < 100; ++i) {
    flood.push_back(tunnel.visitor());
    flood.back()->send("unasked");
    tunnel.world.run_for(1ms);
  }
  tunnel.world.run_for(1s);
  answered->send("second");
  tunnel.world.run_for(1s);
  EXPECT_EQ(side.service->received.back(), "second");
  EXPECT_EQ(side.service->senders.back(), before);
  EXPECT_EQ(tunnel.sum().sessions_evicted, 91U);
}

TEST(UdpTunnel, what_waits_for_a_client_that_has_stopped_is_dropped_by_its_age) {
  UdpTunnel tunnel;
  tunnel.add_client();
  const auto visitor = tunnel.visitor();
  EXPECT_EQ(tunnel.ask(*visitor, "x"), "x");
  tunnel.block_first_client();
  for (int i = 0; i < 2000; ++i) {
    visitor->send(std::string(1200, 'x'));
    tunnel.world.run_for(1ms);
  }
  const PayloadBudget& waiting = tunnel.server->worker(0).udp.waiting;
  EXPECT_GT(waiting.held_bytes(), 0U);
  EXPECT_LT(waiting.held_bytes(), 1'300'000U) << "half a second's worth, and what is looked at every 125 ms";
  tunnel.world.run_for(1s);
  EXPECT_EQ(waiting.held_bytes(), 0U);
  EXPECT_GT(tunnel.server_drops(UdpDrop::stale), 1000U);
}

TEST(UdpTunnel, ends_the_least_recently_used_session_when_a_connection_has_too_many) {
  UdpTunnel tunnel({.udp = {.sessions_max = 3}});
  tunnel.add_client();
  std::vector<std::unique_ptr<UdpEnd>> visitors;
  for (int i = 0; i < 4; ++i) {
    visitors.push_back(tunnel.visitor());
    EXPECT_EQ(tunnel.ask(*visitors.back(), "x"), "x");
  }
  EXPECT_EQ(tunnel.server->pool(0).assignments(), 3U);
  EXPECT_EQ(tunnel.sum().sessions_evicted, 1U);
  EXPECT_EQ(tunnel.client_counters().sessions_evicted, 1U);
  EXPECT_EQ(tunnel.ask(*visitors[0], "back"), "back");
  EXPECT_EQ(tunnel.sum().sessions_opened, 5U);
}

TEST(UdpTunnel, sessions_are_evicted_while_clients_leave_at_every_moment) {
  std::uint64_t evicted = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    UdpTunnel tunnel({.workers = 2, .udp = {.sessions_max = 3, .session_idle_timeout = 5s}});
    sim::SeededRandom random(seed, "departures");
    std::deque<std::unique_ptr<UdpEnd>> visitors;
    tunnel.add_client();
    for (int i = 0; i < 80; ++i) {
      const auto action = random.below(10);
      if (action == 0) {
        tunnel.add_client();
      } else if (action == 1) {
        auto& leaving = tunnel.clients[random.below(tunnel.clients.size())].client;
        if (leaving && random.chance(0.5)) leaving->stop();
        if (random.chance(0.5)) leaving.reset();
      } else if (action < 6 || visitors.empty()) {
        visitors.push_back(tunnel.visitor());
        visitors.back()->send("first");
      } else {
        visitors[random.below(visitors.size())]->send("again");
      }
      if (random.chance(0.5)) tunnel.world.run_for(random.between(Duration(0ms), Duration(300ms)));
    }
    for (auto& side : tunnel.clients) side.client.reset();
    tunnel.world.run_for(60s);
    EXPECT_EQ(tunnel.server->pool(0).assignments(), 0U) << "seed " << seed;
    const UdpCounters sum = tunnel.sum();
    EXPECT_EQ(sum.sessions_opened, sum.sessions_idle + sum.sessions_evicted + sum.sessions_lost) << "seed " << seed;
    evicted += sum.sessions_evicted;
    for (std::size_t worker = 0; worker < tunnel.server->worker_count(); ++worker) {
      EXPECT_EQ(tunnel.server->udp_route_count(worker, 0), 0U) << "seed " << seed;
    }
  }
  EXPECT_GT(evicted, 0U);
}

}  // namespace
}  // namespace qmux::tunnel

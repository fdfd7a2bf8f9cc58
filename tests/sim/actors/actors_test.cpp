// SPDX-License-Identifier: MIT
//
// Visitors and local services talk to each other directly: whatever the audit finds here is the simulator's own fault.
#include <gtest/gtest.h>

#include "sim/actors/audit.h"
#include "sim/actors/crowd.h"
#include "sim/actors/local_service.h"
#include "sim/actors/script.h"
#include "sim/pair.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kVisitors = 10;

struct Meeting : Pair {
  explicit Meeting(std::uint64_t seed, bool speaks_first = false)
      : Pair(seed, {.delay = 2ms, .jitter = 1ms}),
        ledger{.seed = seed},
        service(world, b, ledger, b_host.v4(80), speaks_first),
        crowd(world, a, ledger) {}

  TunnelRecord& plan() {
    TunnelRecord& tunnel = ledger.tunnels.emplace_back();
    tunnel.id = ledger.tunnels.size() - 1;
    return tunnel;
  }
  bool all_over() {
    return run_until([&] { return crowd.over_count() == ledger.tunnels.size() && service.open_count() == 0; }, 30min);
  }

  Ledger ledger;
  LocalService service;
  Crowd crowd;
};

std::vector<std::string> audit_strictly(const Ledger& ledger) {
  return audit(ledger, [](const TunnelRecord&) { return false; });
}

TEST(Actors, of_every_temper_come_to_an_end_without_violations) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const bool speaks_first = seed % 4 == 0;
    Meeting meeting(seed, speaks_first);
    SeededRandom random = meeting.world.random("scripts");
    for (std::size_t i = 0; i < kVisitors; ++i) {
      TunnelRecord& tunnel = meeting.plan();
      draw_scripts(random, {}, tunnel);
      meeting.crowd.send_in(tunnel, meeting.b_host.v4(80), speaks_first);
    }
    EXPECT_TRUE(meeting.all_over()) << "seed " << seed;
    EXPECT_EQ(audit_strictly(meeting.ledger), std::vector<std::string>{}) << "seed " << seed;
    meeting.run_for(1s);
    EXPECT_EQ(meeting.world.network().tcp_connection_count(), 0U) << "seed " << seed;
  }
}

TEST(Actors, half_close_and_answer_after_the_question) {
  Meeting meeting(1);
  TunnelRecord& tunnel = meeting.plan();
  tunnel.visitor_script.send_bytes = 200'000;
  tunnel.service_script = {.send_bytes = 100'000, .send_after_fin = true};
  meeting.crowd.send_in(tunnel, meeting.b_host.v4(80), false);
  ASSERT_TRUE(meeting.all_over());
  EXPECT_TRUE(tunnel.visitor.complete());
  EXPECT_EQ(tunnel.service.received_bytes, 200'000U);
  EXPECT_EQ(tunnel.visitor.received_bytes, 100'000U);
}

TEST(Actors, record_what_was_acknowledged_before_a_reset_and_read_it_all) {
  Meeting meeting(2);
  meeting.world.network().tcp_properties().reset_purges_chance = 0;
  meeting.world.network().tcp_properties().reset_overtakes_chance = 0;
  TunnelRecord& tunnel = meeting.plan();
  tunnel.visitor_script = {.send_bytes = 300'000, .close_after_sending = true};
  tunnel.service_script = {.echo = true, .read_bytes_max = 256, .read_pause = 1ms, .read_after_reset = true};
  meeting.crowd.send_in(tunnel, meeting.b_host.v4(80), false);
  ASSERT_TRUE(meeting.all_over());
  EXPECT_EQ(tunnel.visitor.acknowledged_bytes, 300'000U);
  EXPECT_EQ(tunnel.service.received_bytes, 300'000U);
  EXPECT_TRUE(tunnel.service.received_reset);
  EXPECT_EQ(audit_strictly(meeting.ledger), std::vector<std::string>{});
}

TEST(Audit, reports_bytes_that_are_missing_before_a_reset) {
  Ledger ledger;
  TunnelRecord& tunnel = ledger.tunnels.emplace_back();
  tunnel.visitor_script.close_after_sending = true;
  tunnel.service_script.read_after_reset = true;
  tunnel.visitor = {.begun = true, .over = true, .sent_bytes = 10, .sent_reset = true, .acknowledged_bytes = 10};
  tunnel.service = {.begun = true, .over = true, .received_bytes = 10, .received_reset = true};
  EXPECT_EQ(audit_strictly(ledger).size(), 0U);
  tunnel.service.received_bytes = 9;
  EXPECT_EQ(audit_strictly(ledger).size(), 1U);
  EXPECT_EQ(audit(ledger, [](const TunnelRecord&) { return false; }, 1).size(), 0U) << "the programs cut one tunnel";
  EXPECT_EQ(audit(ledger, [](const TunnelRecord&) { return true; }).size(), 0U);
  tunnel.service_script.read_after_reset = false;
  EXPECT_EQ(audit_strictly(ledger).size(), 0U);
}

TEST(Audit, reports_wrong_bytes_invented_ends_and_missing_causes) {
  Ledger ledger;
  TunnelRecord& tunnel = ledger.tunnels.emplace_back();
  tunnel.visitor = {.begun = true, .over = true, .sent_bytes = 10, .sent_fin = true, .received_fin = true};
  tunnel.service = tunnel.visitor;
  tunnel.service.received_bytes = 10;
  tunnel.visitor.received_bytes = 10;
  EXPECT_EQ(audit_strictly(ledger).size(), 0U);

  const auto violations_of = [&](auto change) {
    Ledger changed = ledger;
    change(changed.tunnels[0]);
    return audit_strictly(changed).size();
  };
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.service.wrong_at = 3; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.service.received_bytes = 9; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.service.received_bytes = 11; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.visitor.sent_fin = false; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.visitor.received_reset = true; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.visitor.over = false; }), 1U);
  EXPECT_GE(violations_of([](TunnelRecord& t) { t.arrivals_count = 2; }), 1U);
}

}  // namespace
}  // namespace qmux::sim

// SPDX-License-Identifier: MIT
//
// Visitors and local services by UDP talk to each other directly: whatever the ledger objects to here is the simulator's own
// fault. And it does object to everything that a tunnel may do wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include "sim/actors/udp_audit.h"
#include "sim/actors/udp_caller.h"
#include "sim/actors/udp_service.h"
#include "sim/pair.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;
using Payload = std::vector<std::byte>;

std::vector<std::string> audit_strictly(const UdpLedger& ledger) {
  return audit_udp(ledger, [](const UdpVisitorRecord&) { return true; });
}

TEST(UdpActors, of_every_kind_have_nothing_to_object_to_without_a_tunnel) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(seed, {.delay = 2ms, .jitter = 1ms});
    UdpLedger ledger(seed);
    UdpService service(pair.world, pair.b, ledger, pair.b_host.v4(53));
    SeededRandom random = pair.world.random("scripts");
    std::list<UdpCaller> callers;
    for (std::uint16_t id = 0; id < 10; ++id) {
      UdpVisitorRecord& visitor = ledger.visitors.emplace_back();
      visitor.id = id;
      visitor.script = draw_udp_script(random);
      callers.emplace_back(pair.world, pair.a, ledger, visitor, pair.b_host.v4(53), 5s);
      callers.back().probe_until_answered();
    }
    EXPECT_TRUE(pair.run_until([&] { return std::ranges::all_of(callers, &UdpCaller::over); }, 10min));
    pair.run_for(UdpService::kUnaskedTimeMax + 1s);
    EXPECT_EQ(audit_strictly(ledger), std::vector<std::string>{}) << "seed " << seed;
    EXPECT_GT(ledger.arrived_count(Direction::up), 0U);
  }
}

/// Two visitors, and what the first one sends.
struct Sent {
  explicit Sent(std::size_t bytes) {
    ledger.visitors.resize(2);
    ledger.visitors[1].id = 1;
    payload = send(bytes);
  }
  Payload send(std::size_t bytes, std::size_t visitor = 0) {
    Payload next = ledger.next(Direction::up, ledger.visitors[visitor], bytes, true);
    ledger.sent(Direction::up, ledger.visitors[visitor], {static_cast<std::uint32_t>(bytes), true});
    return next;
  }
  void came(const Payload& what) { ledger.came_to_service(source, what); }
  [[nodiscard]] std::size_t violations() const { return ledger.violations().size(); }

  UdpLedger ledger{7};
  UdpSource source;
  Payload payload;
};

TEST(UdpLedger, has_nothing_to_say_about_payloads_of_any_size_that_come_once) {
  for (const std::size_t bytes : {0U, 1U, 2U, 6U, 7U, 8U, 1200U, 65'507U}) {
    Sent sent(bytes);
    sent.came(sent.payload);
    EXPECT_EQ(audit_strictly(sent.ledger), std::vector<std::string>{}) << bytes;
  }
}

TEST(UdpLedger, reports_a_payload_that_comes_twice) {
  for (const std::size_t bytes : {2U, 6U, 7U, 1200U}) {
    Sent sent(bytes);
    sent.came(sent.payload);
    sent.came(sent.payload);
    EXPECT_EQ(sent.violations(), 1U) << bytes;
  }
}

TEST(UdpLedger, reports_more_nameless_payloads_than_were_sent) {
  Sent sent(0);
  sent.came({});
  sent.came({});
  EXPECT_GE(audit_strictly(sent.ledger).size(), 1U);
  // The visitor is known by now, so the payload is attributed to it.
  sent.came(sent.send(100));
  EXPECT_GE(audit_strictly(sent.ledger).size(), 1U);
}

TEST(UdpLedger, reports_every_wrong_byte) {
  for (const std::size_t bytes : {3U, 7U, 40U}) {
    for (std::size_t at = 0; at < bytes; ++at) {
      Sent sent(bytes);
      sent.payload[at] ^= std::byte{0x80};
      sent.came(sent.payload);
      EXPECT_EQ(sent.violations(), 1U) << at << " of " << bytes;
    }
  }
}

TEST(UdpLedger, reports_lost_and_added_bytes) {
  for (const std::size_t bytes : {39U, 41U}) {
    Sent sent(40);
    sent.payload.resize(bytes);
    sent.came(sent.payload);
    EXPECT_GE(sent.violations(), 1U);
  }
}

TEST(UdpLedger, reports_two_visitors_at_one_socket_and_answers_for_another_visitor) {
  Sent sent(100);
  sent.came(sent.payload);
  sent.came(sent.send(100, 1));
  EXPECT_EQ(sent.violations(), 1U);
  const Payload answer = sent.ledger.next(Direction::down, sent.ledger.visitors[0], 100, false);
  sent.ledger.sent(Direction::down, sent.ledger.visitors[0], {100, false});
  sent.ledger.came_to_visitor(sent.ledger.visitors[1], answer);
  EXPECT_EQ(sent.violations(), 2U);
  sent.ledger.came_to_visitor(sent.ledger.visitors[0], answer);
  EXPECT_EQ(sent.violations(), 2U);
}

TEST(UdpAudit, objects_to_losses_and_to_sockets_without_cause) {
  Sent sent(100);
  EXPECT_EQ(audit_strictly(sent.ledger).size(), 1U);
  sent.came(sent.payload);
  EXPECT_EQ(audit_strictly(sent.ledger).size(), 0U);
  UdpSource another;
  sent.ledger.came_to_service(another, sent.send(100));
  EXPECT_EQ(audit_strictly(sent.ledger).size(), 1U);
  sent.ledger.visitors[0].pauses_count = 1;
  EXPECT_EQ(audit_strictly(sent.ledger).size(), 0U);
}

}  // namespace
}  // namespace qmux::sim

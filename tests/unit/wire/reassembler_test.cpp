// SPDX-License-Identifier: MIT
#include "wire/reassembler.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wire/fragment_plan.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

using namespace std::chrono_literals;
using Counters = ReassemblyCounters;

constexpr std::size_t kPlenty = std::size_t{64} * 1024 * 1024;
constexpr bool kGo = false;
constexpr bool kFragSeq = true;

Datagram fragment(std::uint32_t session, const Fragment& fragment, std::string_view bytes) {
  return {.session = session, .fragment = fragment, .payload = as_bytes(bytes)};
}

class ReassemblerTest : public testing::Test {
 protected:
  /// The payload that this fragment completes, or "-".
  std::string add(Reassembler& reassembler, const Datagram& datagram) {
    const auto assembled = reassembler.add(datagram, now);
    if (!assembled) return "-";
    EXPECT_EQ(assembled->session, datagram.session);
    return std::string(as_text(assembled->payload));
  }
  /// Opens a group of two with a first fragment of that size.
  void open(Reassembler& reassembler, std::uint16_t id, std::size_t bytes) {
    EXPECT_EQ(add(reassembler, fragment(1, {id, 0, 2}, std::string(bytes, 'x'))), "-");
  }
  /// Whether the group that open() opened is still there.
  bool completes(Reassembler& reassembler, std::uint16_t id) {
    return add(reassembler, fragment(1, {id, 1, 2}, "y")).ends_with("xy");
  }

  ReassemblyBudget budget{kPlenty};
  Reassembler go{kGo, budget};
  Reassembler ours{kFragSeq, budget};
  Time now{};
};

TEST_F(ReassemblerTest, the_only_part_of_one_is_the_payload_and_changes_nothing) {
  const std::string_view bytes = "whole";
  open(go, 0, 10);
  const Counters before = go.counters();
  const auto assembled = go.add(fragment(1, {0, 0, 1}, bytes), now);
  ASSERT_TRUE(assembled);
  EXPECT_EQ(assembled->payload.data(), as_bytes(bytes).data());
  EXPECT_EQ(assembled->payload.size(), bytes.size());
  EXPECT_EQ(go.counters(), before);
  EXPECT_TRUE(completes(go, 0));
}

TEST_F(ReassemblerTest, puts_parts_together_in_any_order) {
  std::vector<std::uint8_t> order = {0, 1, 2, 3};
  const std::vector<std::string> bytes = {"one ", "", "and another", "!"};
  std::uint16_t id = 1;
  do {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(add(ours, fragment(7, {id, order[i], 4}, bytes[order[i]])), "-");
    }
    EXPECT_EQ(add(ours, fragment(7, {id, order[3], 4}, bytes[order[3]])), "one and another!");
    ++id;
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(ours.group_count(), 0U);
  EXPECT_EQ(budget.held_bytes(), 0U);
  EXPECT_EQ(ours.counters().assembled, 24U);
  EXPECT_EQ(ours.counters().fragments, 96U);
}

TEST_F(ReassemblerTest, a_payload_may_be_empty) {
  EXPECT_EQ(add(go, fragment(1, {1, 0, 2}, "")), "-");
  EXPECT_EQ(add(go, fragment(1, {1, 1, 2}, "")), "");
}

TEST_F(ReassemblerTest, tells_sessions_with_one_id_apart) {
  for (Reassembler* reassembler : {&go, &ours}) {
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 0, 2}, "a")), "-");
    EXPECT_EQ(add(*reassembler, fragment(2, {5, 1, 2}, "D")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 1, 2}, "b")), "ab");
    EXPECT_EQ(add(*reassembler, fragment(2, {5, 0, 2}, "C")), "CD");
  }
}

TEST_F(ReassemblerTest, a_part_that_comes_twice_is_harmless) {
  EXPECT_EQ(add(go, fragment(1, {5, 0, 3}, "a")), "-");
  EXPECT_EQ(add(go, fragment(1, {5, 1, 3}, "b")), "-");
  EXPECT_EQ(add(go, fragment(1, {5, 0, 3}, "a")), "-");
  EXPECT_EQ(add(go, fragment(1, {5, 2, 3}, "c")), "abc");
  EXPECT_EQ(go.counters().duplicates, 1U);
}

TEST_F(ReassemblerTest, an_id_that_comes_again_with_other_bytes_begins_anew) {
  for (Reassembler* reassembler : {&go, &ours}) {
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 0, 3}, "a")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 1, 3}, "b")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 0, 3}, "A")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 2, 3}, "C")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 1, 3}, "B")), "ABC");
    EXPECT_EQ(reassembler->counters().conflicting, 1U);
  }
}

TEST_F(ReassemblerTest, an_id_that_comes_again_with_another_total_begins_anew) {
  for (Reassembler* reassembler : {&go, &ours}) {
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 0, 2}, "a")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 254, 255}, "a")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 0, 3}, "A")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 1, 3}, "B")), "-");
    EXPECT_EQ(add(*reassembler, fragment(1, {5, 2, 3}, "C")), "ABC");
    EXPECT_EQ(reassembler->counters().conflicting, 2U);
  }
}

TEST_F(ReassemblerTest, what_is_incomplete_after_five_seconds_is_dropped) {
  EXPECT_EQ(go.deadline(), kNever);
  open(go, 1, 10);
  now += 1s;
  open(go, 2, 10);
  now += 3s;
  EXPECT_EQ(add(go, fragment(1, {1, 0, 2}, "another begins anew")), "-");
  EXPECT_EQ(go.deadline(), Time{6s}) << "of the second, which is the oldest now";
  go.expire(Time{6s} - 1ns);
  EXPECT_EQ(go.group_count(), 2U);
  go.expire(Time{6s});
  EXPECT_EQ(go.group_count(), 1U);
  EXPECT_EQ(go.counters().expired, 1U);
  EXPECT_EQ(go.deadline(), Time{9s});
}

TEST_F(ReassemblerTest, nothing_joins_a_group_after_its_time) {
  open(ours, 1, 10);
  now += limits::kReassemblyTimeMax;
  EXPECT_EQ(add(ours, fragment(1, {1, 1, 2}, "too late")), "-");
  EXPECT_EQ(ours.counters().expired, 1U);
}

TEST_F(ReassemblerTest, a_connection_over_its_limit_loses_its_oldest) {
  ReassemblyBudget shared(kPlenty, std::size_t{100} * 1024);
  Reassembler other(kFragSeq, shared);
  Reassembler flooded(kFragSeq, shared);
  open(other, 1, 20'000);
  for (std::uint16_t id = 1; id <= 100; ++id) {
    open(flooded, id, 20'000);
    EXPECT_LE(flooded.held_bytes(), shared.connection_bytes_max());
    EXPECT_EQ(shared.held_bytes(), flooded.held_bytes() + other.held_bytes());
  }
  EXPECT_EQ(flooded.group_count(), 4U);
  EXPECT_EQ(flooded.counters().evicted_connection_limit, 96U);
  EXPECT_FALSE(completes(flooded, 96));
  EXPECT_TRUE(completes(flooded, 100));
  EXPECT_TRUE(completes(other, 1));
}

TEST_F(ReassemblerTest, a_worker_over_its_limit_loses_the_oldest_of_all_connections) {
  ReassemblyBudget shared(std::size_t{100} * 1024);
  Reassembler first(kFragSeq, shared);
  Reassembler second(kGo, shared);
  open(first, 1, 30'000);
  open(second, 1, 30'000);
  open(first, 2, 30'000);
  open(second, 2, 30'000);
  EXPECT_EQ(first.counters().evicted_budget, 1U);
  EXPECT_EQ(shared.counters().evicted_budget, 1U);
  EXPECT_LE(shared.held_bytes(), shared.bytes_max());
  EXPECT_TRUE(completes(second, 1));
  EXPECT_TRUE(completes(first, 2));
  EXPECT_TRUE(completes(second, 2));
  EXPECT_FALSE(completes(first, 1));
}

TEST_F(ReassemblerTest, the_oldest_goes_even_if_it_is_the_one_that_grows) {
  ReassemblyBudget shared(std::size_t{100} * 1024);
  Reassembler reassembler(kFragSeq, shared);
  const std::string large(40'000, 'x');
  EXPECT_EQ(add(reassembler, fragment(1, {1, 0, 3}, large)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {2, 0, 3}, large)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {1, 1, 3}, large.substr(0, 20'000))), "-");
  EXPECT_EQ(reassembler.group_count(), 1U);
  EXPECT_EQ(reassembler.counters().evicted_budget, 1U);
  EXPECT_EQ(add(reassembler, fragment(1, {2, 1, 3}, "")), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {2, 2, 3}, "y")), large + "y");
}

TEST_F(ReassemblerTest, tiny_parts_are_charged_what_they_take) {
  for (std::uint16_t id = 1; id <= 8000; ++id) EXPECT_EQ(add(ours, fragment(1, {id, 0, 2}, "")), "-");
  EXPECT_LE(ours.held_bytes(), limits::kReassemblyConnectionBytesMax);
  EXPECT_GE(ours.held_bytes(), ours.group_count() * sizeof(ReassemblyGroup));
  EXPECT_GT(ours.counters().evicted_connection_limit, 0U);
}

TEST_F(ReassemblerTest, the_largest_payload_fits_the_smallest_limits_and_a_larger_one_is_dropped) {
  ReassemblyBudget least(0, 0);
  Reassembler reassembler(kGo, least);
  const std::string half(limits::kUdpPayloadBytesMax / 2, 'h');
  EXPECT_EQ(add(reassembler, fragment(1, {1, 0, 3}, half)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {1, 2, 3}, half)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {1, 1, 3}, "m")), half + "m" + half);

  EXPECT_EQ(add(reassembler, fragment(1, {2, 0, 3}, half)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {2, 2, 3}, half)), "-");
  EXPECT_EQ(add(reassembler, fragment(1, {2, 1, 3}, "mm")), "-");
  EXPECT_EQ(reassembler.group_count(), 0U);
  EXPECT_EQ(add(reassembler, fragment(1, {3, 0, 2}, half + half + "mm")), "-");
  EXPECT_EQ(reassembler.group_count(), 0U);
  EXPECT_EQ(reassembler.counters().oversize, 2U);
}

TEST_F(ReassemblerTest, with_frag_seq_a_group_ends_once_ids_far_ahead_come) {
  for (const int begin : {1, 60'000}) {
    const auto id = [&](int ahead) { return static_cast<std::uint16_t>(begin + ahead); };
    const std::uint64_t overtaken = ours.counters().overtaken;
    open(ours, id(0), 10);
    open(ours, id(limits::kFragmentIdsAheadMax - 1), 10);
    EXPECT_EQ(ours.counters().overtaken, overtaken);
    open(ours, id(limits::kFragmentIdsAheadMax), 10);
    EXPECT_EQ(ours.counters().overtaken, overtaken + 1);
    EXPECT_TRUE(completes(ours, id(limits::kFragmentIdsAheadMax - 1)));
    EXPECT_TRUE(completes(ours, id(limits::kFragmentIdsAheadMax)));
  }
}

TEST_F(ReassemblerTest, with_frag_seq_a_late_part_overtakes_none) {
  open(ours, 100, 10);
  open(ours, static_cast<std::uint16_t>(100 - limits::kFragmentIdsAheadMax + 1), 10);
  EXPECT_EQ(ours.counters().overtaken, 0U);
  EXPECT_TRUE(completes(ours, 100));
}

TEST_F(ReassemblerTest, with_frag_seq_a_loss_of_half_of_all_ids_does_not_bring_old_parts_back) {
  open(ours, 1, 10);
  open(ours, 40'000, 10);
  EXPECT_EQ(ours.counters().overtaken, 1U);
  EXPECT_FALSE(completes(ours, 1));
}

TEST_F(ReassemblerTest, a_go_sender_may_use_ids_in_any_order) {
  open(go, 1, 10);
  open(go, 20'000, 10);
  open(go, 60'000, 10);
  EXPECT_TRUE(completes(go, 1));
  EXPECT_EQ(go.counters().overtaken, 0U);
}

TEST_F(ReassemblerTest, forgets_a_session_and_no_other) {
  for (const std::uint32_t session : {0U, 7U, 8U, UINT32_MAX}) {
    EXPECT_EQ(add(go, fragment(session, {0, 0, 2}, "a")), "-");
    EXPECT_EQ(add(go, fragment(session, {65535, 0, 2}, "a")), "-");
  }
  go.forget_session(7);
  go.forget_session(UINT32_MAX);
  EXPECT_EQ(go.counters().forgotten, 4U);
  EXPECT_EQ(add(go, fragment(0, {65535, 1, 2}, "b")), "ab");
  EXPECT_EQ(add(go, fragment(8, {0, 1, 2}, "b")), "ab");
  EXPECT_EQ(add(go, fragment(7, {0, 1, 2}, "b")), "-");
}

TEST_F(ReassemblerTest, gives_everything_back_when_its_connection_ends) {
  ReassemblyBudget shared(kPlenty);
  Reassembler stays(kGo, shared);
  open(stays, 1, 10);
  const std::size_t held = shared.held_bytes();
  {
    Reassembler goes(kGo, shared);
    for (std::uint16_t id = 1; id < 300; ++id) open(goes, id, 5'000);
  }
  EXPECT_EQ(shared.held_bytes(), held);
  EXPECT_EQ(shared.counters().forgotten, 299U);
  EXPECT_TRUE(completes(stays, 1));
}

/// What a sender makes of a payload: DATAGRAM frames.
std::vector<std::string> sent(std::uint32_t session, std::uint16_t id, std::string_view payload, std::size_t room) {
  const auto plan = FragmentPlan::make(payload.size(), room, needs_escape(payload.size(), as_bytes(payload)));
  std::vector<std::string> frames;
  for (std::size_t i = 0; i < plan.datagrams(); ++i) {
    const auto [offset, size] = plan.slice(i);
    frames.push_back(std::string(as_text(plan.header(session, id, i).bytes())).append(payload.substr(offset, size)));
    RC_ASSERT(frames.back().size() <= room);
  }
  return frames;
}

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

RC_GTEST_PROP(Reassembler, brings_every_payload_once_whatever_the_network_does_to_its_fragments, (bool frag_seq)) {
  struct Arrival {
    std::size_t payload;
    std::string frame;
  };
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::vector<std::string> payloads;
  std::vector<Arrival> arrivals;
  const auto count = *rc::gen::inRange<std::size_t>(1, 12);
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 3000),
                                      rc::gen::inRange<std::size_t>(0, limits::kUdpPayloadBytesMax + 1));
    const std::size_t room_min = kFragmentHeaderBytes + 1 + size / kFragmentsMax;
    const auto room = *rc::gen::inRange(room_min, room_min + 1500);
    payloads.push_back(random_text(random, size));
    // Two sessions, both with the same ids.
    const auto frames =
        sent(static_cast<std::uint32_t>(i % 2), static_cast<std::uint16_t>(1 + i / 2), payloads[i], room);
    RC_ASSERT(!frames.empty());
    for (const std::string& frame : frames) {
      arrivals.push_back({i, frame});
      // QUIC brings none twice; the fragments that come twice here are never all of a payload.
      if (&frame != &frames.front() && random() % 4 == 0) arrivals.push_back({i, frame});
    }
  }
  std::ranges::shuffle(arrivals, random);

  ReassemblyBudget budget(kPlenty);
  Reassembler reassembler(frag_seq, budget);
  std::multiset<std::string> delivered;
  for (const auto& [payload, frame] : arrivals) {
    const auto datagram = parse_datagram(as_bytes(frame));
    RC_ASSERT(datagram.has_value());
    RC_ASSERT(datagram->session == payload % 2);
    if (!datagram->fragment) {
      delivered.emplace(as_text(datagram->payload));
    } else if (const auto assembled = reassembler.add(*datagram, Time{})) {
      RC_ASSERT(assembled->session == payload % 2);
      RC_ASSERT(as_text(assembled->payload) == payloads[payload]);
      delivered.emplace(as_text(assembled->payload));
    }
    RC_ASSERT(budget.held_bytes() == reassembler.held_bytes());
  }
  RC_ASSERT(delivered == std::multiset<std::string>(payloads.begin(), payloads.end()));
  RC_ASSERT(reassembler.counters().conflicting == 0U);
}

RC_GTEST_PROP(Reassembler, never_mixes_the_parts_of_two_uses_of_an_id_with_different_totals, (bool frag_seq)) {
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  const std::string old_payload = random_text(random, *rc::gen::inRange<std::size_t>(1200, 30'000));
  const std::string new_payload = random_text(random, *rc::gen::inRange<std::size_t>(1200, 30'000));
  auto old_frames = sent(1, 9, old_payload, 1200);
  auto new_frames = sent(1, 9, new_payload, 1200);
  RC_PRE(old_frames.size() > 1 && new_frames.size() > 1 && old_frames.size() != new_frames.size());
  std::ranges::shuffle(old_frames, random);
  std::ranges::shuffle(new_frames, random);
  old_frames.resize(*rc::gen::inRange<std::size_t>(1, old_frames.size()));  // the rest is lost

  ReassemblyBudget budget(kPlenty);
  Reassembler reassembler(frag_seq, budget);
  for (const std::string& frame : old_frames) {
    RC_ASSERT(!reassembler.add(*parse_datagram(as_bytes(frame)), Time{}).has_value());
  }
  std::size_t delivered = 0;
  for (const std::string& frame : new_frames) {
    const auto assembled = reassembler.add(*parse_datagram(as_bytes(frame)), Time{});
    if (!assembled) continue;
    ++delivered;
    RC_ASSERT(as_text(assembled->payload) == new_payload);
  }
  RC_ASSERT(delivered == 1U);
  RC_ASSERT(reassembler.counters().conflicting == 1U);
}

}  // namespace
}  // namespace qmux::wire

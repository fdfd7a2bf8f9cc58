// SPDX-License-Identifier: MIT
#include "tunnel/server/visitor_admission.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace qmux::tunnel {
namespace {

using Refusal = VisitorAdmission::Refusal;

Address visitor(int host, std::uint16_t port = 1000) {
  return *Address::from_literal("192.0.2." + std::to_string(host), port);
}

class VisitorAdmissionTest : public ::testing::Test {
 protected:
  /// Lets `count` visitors in, if they may; how many could not.
  std::size_t admit(VisitorAdmission& admission, std::size_t listener, const Address& from, std::size_t count) {
    std::size_t refused = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto ticket = admission.admit(listener, from);
      if (ticket) {
        inside_.push_back(std::move(*ticket));
      } else {
        ++refused;
        last_refusal_ = ticket.error();
      }
    }
    return refused;
  }

  VisitorAdmission& make(std::size_t visitors_max, const std::vector<VisitorLimits>& listeners, std::uint64_t seed) {
    VisitorAdmission& admission = admission_.emplace(visitors_max, seed);
    for (std::size_t i = 0; i < listeners.size(); ++i) admission.set_limits(i, listeners[i]);
    return admission;
  }

  std::optional<Refusal> last_refusal_;

 private:
  std::optional<VisitorAdmission> admission_;  ///< outlives the tickets

 protected:
  std::vector<VisitorAdmission::Ticket> inside_;
};

TEST_F(VisitorAdmissionTest, admits_all_that_the_process_has_room_for_when_they_come_from_many_addresses) {
  VisitorAdmission& admission = make(160, std::vector<VisitorLimits>(1), 1);
  for (int host = 0; host < 40; ++host) EXPECT_EQ(admit(admission, 0, visitor(host), 4), 0U);
  EXPECT_EQ(admit(admission, 0, visitor(99), 1), 1U);
  EXPECT_EQ(last_refusal_, Refusal::process_full);
  EXPECT_EQ(admission.visitor_count(), 160U);
  inside_.clear();
  EXPECT_EQ(admission.visitor_count(), 0U);
}

TEST_F(VisitorAdmissionTest, one_address_on_one_listener_leaves_the_last_quarter_to_others) {
  VisitorAdmission& admission = make(160, std::vector<VisitorLimits>(2), 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 200), 80U);
  EXPECT_EQ(last_refusal_, Refusal::source_full);
  EXPECT_EQ(admit(admission, 1, visitor(2), 10), 0U);
  EXPECT_EQ(admit(admission, 1, visitor(2), 1), 1U) << "a sixteenth of all";
  EXPECT_EQ(last_refusal_, Refusal::source_full);
  for (int host = 3; host < 6; ++host) EXPECT_EQ(admit(admission, 1, visitor(host), 10), 0U);
}

TEST_F(VisitorAdmissionTest, other_addresses_of_the_same_listener_find_room_too) {
  VisitorAdmission& admission = make(160, std::vector<VisitorLimits>(1), 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 200), 80U);
  EXPECT_EQ(last_refusal_, Refusal::source_full);
  EXPECT_EQ(admit(admission, 0, visitor(2), 10), 0U);
}

TEST_F(VisitorAdmissionTest, other_addresses_find_room_on_a_listener_that_one_address_holds_over_its_share) {
  VisitorAdmission& admission = make(1600, std::vector<VisitorLimits>(2), 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 2000), 800U);
  EXPECT_EQ(admit(admission, 0, visitor(2), 30), 5U) << "a quarter of an eighth";
  EXPECT_EQ(last_refusal_, Refusal::source_full);
  for (int host = 3; host < 6; ++host) EXPECT_EQ(admit(admission, 0, visitor(host), 30), 5U);
  EXPECT_EQ(admit(admission, 0, visitor(6), 1), 1U);
  EXPECT_EQ(last_refusal_, Refusal::listener_full);
  for (int host = 7; host < 10; ++host)
    EXPECT_EQ(admit(admission, 1, visitor(host), 100), 0U) << "the other's are left";
  inside_.resize(inside_.size() - 301);
  EXPECT_EQ(admit(admission, 0, visitor(6), 1), 0U) << "one has left";
}

TEST_F(VisitorAdmissionTest, a_network_of_ipv6_counts_as_one_address) {
  VisitorAdmission& admission = make(0xffff, {{.visitors_per_source_max = 2}}, 1);
  EXPECT_EQ(admit(admission, 0, *Address::from_literal("2001:db8::1", 1), 1), 0U);
  EXPECT_EQ(admit(admission, 0, *Address::from_literal("2001:db8::2", 1), 1), 0U);
  EXPECT_EQ(admit(admission, 0, *Address::from_literal("2001:db8::3", 1), 1), 1U);
  EXPECT_EQ(admit(admission, 0, *Address::from_literal("2001:db8:0:1::3", 1), 1), 0U);
}

TEST_F(VisitorAdmissionTest, a_listeners_own_limits_hold_while_there_is_room_elsewhere) {
  VisitorAdmission& admission = make(1000, {{.visitors_max = 10, .visitors_per_source_max = 4}, {}}, 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 5), 1U);
  EXPECT_EQ(last_refusal_, Refusal::source_full);
  EXPECT_EQ(admit(admission, 0, visitor(2), 4), 0U);
  EXPECT_EQ(admit(admission, 0, visitor(3), 4), 2U);
  EXPECT_EQ(last_refusal_, Refusal::listener_full);
  EXPECT_EQ(admit(admission, 1, visitor(1), 100), 0U);
}

TEST_F(VisitorAdmissionTest, who_leaves_makes_room) {
  VisitorAdmission& admission = make(1000, {{.visitors_max = 1}}, 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 1), 0U);
  VisitorAdmission::Ticket moved = std::move(inside_.back());
  inside_.clear();
  EXPECT_EQ(admit(admission, 0, visitor(2), 1), 1U);
  moved = {};
  EXPECT_EQ(admit(admission, 0, visitor(2), 1), 0U);
}

TEST_F(VisitorAdmissionTest, a_closed_listener_admits_no_more_and_gives_its_share_to_the_others) {
  VisitorAdmission& admission = make(160, std::vector<VisitorLimits>(2), 1);
  for (int host = 0; host < 4; ++host) EXPECT_EQ(admit(admission, 1, visitor(host), 1), 0U);
  admission.close(1);
  EXPECT_EQ(admit(admission, 1, visitor(9), 1), 1U);
  EXPECT_EQ(last_refusal_, Refusal::listener_full);
  EXPECT_EQ(admission.visitor_count(1), 4U);
  std::size_t admitted = 0;
  for (int host = 0; host < 40; ++host) admitted += 4 - admit(admission, 0, visitor(host), 4);
  EXPECT_EQ(admitted, 156U);  // all that is left, where half of it was its share
  inside_.clear();
  EXPECT_EQ(admission.visitor_count(1), 0U);
}

TEST_F(VisitorAdmissionTest, limits_change_while_visitors_are_there) {
  VisitorAdmission& admission = make(160, {{.visitors_max = 4}}, 1);
  EXPECT_EQ(admit(admission, 0, visitor(1), 5), 1U);
  admission.set_limits(0, {.visitors_max = 6});
  EXPECT_EQ(admit(admission, 0, visitor(1), 3), 1U);
  admission.set_limits(0, {.visitors_max = 2});
  EXPECT_EQ(admit(admission, 0, visitor(1), 1), 1U);
  EXPECT_EQ(admission.visitor_count(0), 6U);
}

}  // namespace
}  // namespace qmux::tunnel

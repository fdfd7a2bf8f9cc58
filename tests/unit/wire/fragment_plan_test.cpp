// SPDX-License-Identifier: MIT
#include "wire/fragment_plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wire/limits.h"

namespace qmux::wire {
namespace {

using Form = FragmentPlan::Form;
using Slice = FragmentPlan::Slice;

TEST(FragmentPlan, sends_whole_what_fits) {
  const auto plan = FragmentPlan::make(1196, 1200, false);
  EXPECT_EQ(plan.form(), Form::whole);
  EXPECT_EQ(plan.datagrams(), 1U);
  EXPECT_EQ(plan.slice(0), (Slice{0, 1196}));
  EXPECT_EQ(plan.header(7, 0, 0).bytes().size(), kSessionHeaderBytes);
  EXPECT_EQ(FragmentPlan::make(1197, 1200, false).form(), Form::fragments);
}

TEST(FragmentPlan, an_empty_payload_is_one_datagram) {
  const auto plan = FragmentPlan::make(0, kSessionHeaderBytes, false);
  EXPECT_EQ(plan.form(), Form::whole);
  EXPECT_EQ(plan.slice(0), (Slice{0, 0}));
  EXPECT_EQ(FragmentPlan::make(0, kSessionHeaderBytes - 1, false).form(), Form::impossible);
}

TEST(FragmentPlan, cuts_a_payload_that_its_escape_makes_too_large) {
  EXPECT_EQ(FragmentPlan::make(1191, 1200, true).form(), Form::escaped);
  EXPECT_EQ(FragmentPlan::make(1192, 1200, false).form(), Form::whole);
  const auto plan = FragmentPlan::make(1192, 1200, true);
  EXPECT_EQ(plan.form(), Form::fragments);
  EXPECT_EQ(plan.slice(0), (Slice{0, 596}));
  EXPECT_EQ(plan.slice(1), (Slice{596, 596}));
}

TEST(FragmentPlan, gives_up_on_too_many_fragments) {
  EXPECT_EQ(FragmentPlan::make(255, kFragmentHeaderBytes + 1, false).datagrams(), kFragmentsMax);
  EXPECT_EQ(FragmentPlan::make(256, kFragmentHeaderBytes + 1, false).form(), Form::impossible);
  EXPECT_EQ(FragmentPlan::make(256, kFragmentHeaderBytes, false).form(), Form::impossible);
  EXPECT_EQ(FragmentPlan::make(256, kFragmentHeaderBytes, false).datagrams(), 0U);
  EXPECT_EQ(FragmentPlan::make(limits::kUdpPayloadBytesMax + 1, 70'000, false).form(), Form::impossible);
}

TEST(FragmentPlan, heads_every_datagram) {
  const DatagramHeader escaped = FragmentPlan::make(5, 1200, true).header(7, 0, 0);
  EXPECT_EQ(escaped.bytes().size(), kFragmentHeaderBytes);
  EXPECT_FALSE(parse_datagram(escaped.bytes())->fragment);

  const auto fragments = FragmentPlan::make(3000, 1200, false);
  ASSERT_EQ(fragments.datagrams(), 3U);
  for (std::uint8_t i = 0; i < 3; ++i) {
    const DatagramHeader fragment = fragments.header(7, 0x1234, i);
    EXPECT_EQ(parse_datagram(fragment.bytes())->fragment, (Fragment{0x1234, i, 3}));
  }
}

RC_GTEST_PROP(FragmentPlan, parts_are_equal_and_few_and_make_up_the_payload, (bool escape)) {
  const auto size = *rc::gen::inRange<std::size_t>(0, limits::kUdpPayloadBytesMax + 1);
  const auto room = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 2000), rc::gen::inRange<std::size_t>(0, 66'000));
  const auto plan = FragmentPlan::make(size, room, escape);
  if (plan.form() == Form::impossible) {
    RC_ASSERT(size + kSessionHeaderBytes > room);
    RC_ASSERT(room <= kFragmentHeaderBytes || size > kFragmentsMax * (room - kFragmentHeaderBytes));
    return;
  }
  if (plan.form() == Form::fragments) {
    RC_ASSERT(plan.datagrams() >= 2U);
    RC_ASSERT(plan.datagrams() <= kFragmentsMax);
    RC_ASSERT(size > (plan.datagrams() - 1) * (room - kFragmentHeaderBytes));  // fewer would not do
  }
  std::size_t offset = 0;
  for (std::size_t i = 0; i < plan.datagrams(); ++i) {
    const Slice fragment = plan.slice(i);
    RC_ASSERT(fragment.offset == offset);
    RC_ASSERT(plan.header(1, 1, i).bytes().size() + fragment.size <= room);
    if (i + 1 < plan.datagrams()) RC_ASSERT(fragment.size == plan.slice(0).size);
    if (plan.form() == Form::fragments) RC_ASSERT(fragment.size > 0U && fragment.size <= plan.slice(0).size);
    offset += fragment.size;
  }
  RC_ASSERT(offset == size);
}

}  // namespace
}  // namespace qmux::wire

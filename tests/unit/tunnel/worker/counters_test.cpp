// SPDX-License-Identifier: MIT
#include "tunnel/worker/counters.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "support/source_tree.h"

namespace qmux::tunnel {
namespace {

TEST(Counters, have_one_row_each_with_a_name_of_its_own) {
  Counters counters;
  std::set<const Counter*> members;
  std::set<std::string_view> names;
  for (const CounterInfo& each : counter_table()) {
    EXPECT_TRUE(members.insert(&each.of(counters)).second) << each.name;
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.help.empty()) << each.name;
  }
  EXPECT_EQ(members.size(), sizeof(Counters) / sizeof(Counter));
}

TEST(Counters, of_losses_stand_in_the_documentation_as_in_the_table) {
  std::ifstream file(test::document("CONFIGURATION.md"));
  std::stringstream docs;
  docs << file.rdbuf();
  for (const CounterInfo& each : counter_table()) {
    if (each.kind != CounterInfo::Kind::loss) continue;
    const std::string row = "| `" + std::string(each.name) + "` | " + std::string(each.help) + " |";
    EXPECT_TRUE(docs.str().contains(row)) << "docs/CONFIGURATION.md lacks: " << row;
  }
}

TEST(Counters, that_limits_name_exist) {
  std::set<std::string> names;
  for (const CounterInfo& each : counter_table()) names.emplace(each.name);
  const std::regex named("Counters?: ((?:[a-z_]+(?:, )?)+)");
  const std::regex word("[a-z_]+");
  std::size_t found = 0;
  for (const char* const layer : {"wire", "quic", "tunnel"}) {
    const std::string text = test::source(std::string(layer) + "/limits.h");
    for (std::sregex_iterator line(text.begin(), text.end(), named), end; line != end; ++line) {
      const std::string list = (*line)[1];
      for (std::sregex_iterator name(list.begin(), list.end(), word); name != end; ++name, ++found) {
        EXPECT_TRUE(names.contains(name->str())) << layer << "/limits.h: " << name->str();
      }
    }
  }
  EXPECT_GT(found, 20U);
}

TEST(Counters, of_several_workers_add_up) {
  Counters sum;
  Counters one;
  Counters other;
  ++one.visitors_accepted;
  other.visitors_accepted += 2;
  other.udp.drop(UdpDrop::stale, 7);
  ++one.quic.retries_sent;
  add(sum, one);
  add(sum, other);
  EXPECT_EQ(sum.visitors_accepted, 3U);
  EXPECT_EQ(sum.udp.dropped_for(UdpDrop::stale), 7U);
  EXPECT_EQ(sum.quic.retries_sent, 1U);
}

}  // namespace
}  // namespace qmux::tunnel

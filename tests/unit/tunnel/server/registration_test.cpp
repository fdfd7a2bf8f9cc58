// SPDX-License-Identifier: MIT
#include "tunnel/server/registration.h"

#include <gtest/gtest.h>

namespace qmux::tunnel {
namespace {

TEST(Registration, a_go_client_is_taken_without_extensions) {
  const auto abilities = review({.client_id = "a", .version = "1.0", .capabilities = {"tcp", "udp"}});
  ASSERT_TRUE(abilities);
  EXPECT_FALSE(abilities->names_instances);
  EXPECT_TRUE(abilities->udp);
  EXPECT_TRUE(words_of(*abilities).empty());
}

TEST(Registration, what_both_sides_know_is_used_and_answered) {
  const auto abilities = review({.client_id = "a",
                                 .version = "1.0",
                                 .capabilities = {"tcp", "frag-seq", "udp-end", "drain", "conn-ack", "teleport"},
                                 .instance = "00"});
  ASSERT_TRUE(abilities);
  EXPECT_TRUE(abilities->names_instances);
  EXPECT_FALSE(abilities->udp);
  EXPECT_EQ(words_of(*abilities), (std::vector<std::string>{"conn-ack", "frag-seq", "udp-end", "drain"}));
}

TEST(Registration, another_major_version_is_refused_and_a_minor_one_taken) {
  EXPECT_FALSE(review({.client_id = "a", .version = "2.0"}));
  EXPECT_FALSE(review({.client_id = "a", .version = ""}));
  EXPECT_FALSE(review({.client_id = "a", .version = "10.0"}));
  EXPECT_TRUE(review({.client_id = "a", .version = "1.7"}));
}

}  // namespace
}  // namespace qmux::tunnel

// SPDX-License-Identifier: MIT
#include "app/config/reading/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qmux::app {
namespace {

const std::vector<std::string_view> kNames = {"quic_addr", "traffic_addr", "protocol", "keepaliveperiod"};

TEST(NearestName, forgives_slips_case_and_hyphens) {
  EXPECT_EQ(nearest_name("protcol", kNames), "protocol");
  EXPECT_EQ(nearest_name("portocol", kNames), "protocol");
  EXPECT_EQ(nearest_name("quic-addr", kNames), "quic_addr");
  EXPECT_EQ(nearest_name("KeepAlivePeriod", kNames), "keepaliveperiod");
  EXPECT_EQ(nearest_name("keep_alive_period", kNames), "keepaliveperiod");
}

TEST(NearestName, allows_few_edits_for_the_length_of_a_name) {
  const auto nearest = [](std::string_view name, std::string_view candidate) {
    return !nearest_name(name, std::vector{candidate}).empty();
  };
  EXPECT_TRUE(nearest("lgo", "log"));
  EXPECT_TRUE(nearest("TCP", "tcp"));
  EXPECT_TRUE(nearest("tpc", "tcp"));
  EXPECT_TRUE(nearest("listner", "listeners"));
  EXPECT_TRUE(nearest("rnu", "run"));
  EXPECT_FALSE(nearest("foo", "log"));
  EXPECT_FALSE(nearest("http", "tcp"));
  EXPECT_FALSE(nearest("none", "json"));
  EXPECT_FALSE(nearest("on", "no")) << "of two characters one slip leaves nothing";
  EXPECT_FALSE(nearest("read_timeout", "health_timeout"));
  EXPECT_FALSE(nearest("tls_file", "ca_cert_file"));
}

TEST(NearestName, names_nothing_when_nothing_is_near) {
  EXPECT_EQ(nearest_name("certificate", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), kNames), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace qmux::app

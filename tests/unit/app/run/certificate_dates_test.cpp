// SPDX-License-Identifier: MIT
#include "app/run/certificate_dates.h"

#include <gtest/gtest.h>

namespace qmux::app {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kBegin = 1'800'000'000;  // 2027-01-15T08:00:00Z
constexpr quic::Validity kYear{kBegin, kBegin + 365 * kDay};

std::string trouble_at(std::int64_t now) {
  const auto trouble = date_trouble(kYear, now);
  return trouble ? trouble->event + " " + trouble->date : "none";
}

TEST(CertificateDates, are_no_trouble_for_most_of_the_time) {
  EXPECT_EQ(trouble_at(kBegin), "none");
  EXPECT_EQ(trouble_at(kYear.not_after - 14 * kDay), "none");
}

TEST(CertificateDates, are_trouble_before_the_first_and_after_the_last) {
  EXPECT_EQ(trouble_at(kBegin - 1), "certificate not valid yet 2027-01-15T08:00:00Z");
  EXPECT_EQ(trouble_at(kYear.not_after + 1), "certificate expired 2028-01-15T08:00:00Z");
  EXPECT_EQ(trouble_at(kYear.not_after + 5000 * kDay), "certificate expired 2028-01-15T08:00:00Z");
}

TEST(CertificateDates, are_told_two_weeks_ahead) {
  EXPECT_EQ(trouble_at(kYear.not_after - 14 * kDay + 1), "certificate expires soon 2028-01-15T08:00:00Z");
  EXPECT_EQ(trouble_at(kYear.not_after), "certificate expires soon 2028-01-15T08:00:00Z");
}

TEST(CertificateDates, far_from_now_are_told_too) {
  EXPECT_EQ(date_trouble({0, 1}, kBegin)->date, "1970-01-01T00:00:01Z");
  EXPECT_EQ(date_trouble({253'402'300'799, 253'402'300'799}, kBegin)->date, "9999-12-31T23:59:59Z");
}

}  // namespace
}  // namespace qmux::app

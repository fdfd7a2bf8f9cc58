// SPDX-License-Identifier: MIT
#include "app/run/secret_file.h"

#include <gtest/gtest.h>

#include "app/temporary_directory.h"
#include "net/os_random.h"

namespace qmux::app {
namespace {

TEST(SecretFile, is_made_once_and_kept) {
  const TemporaryDirectory dir;
  net::OsRandom random;
  ASSERT_TRUE(make_secret_file(dir / "secret", random));
  const std::string made = dir.read("secret");
  EXPECT_EQ(made.size(), 65U) << "32 bytes in hexadecimal, and the end of the line";
  EXPECT_EQ(dir.mode("secret"), 0600U);
  ASSERT_TRUE(make_secret_file(dir / "secret", random));
  EXPECT_EQ(dir.read("secret"), made);
}

TEST(SecretFile, that_cannot_be_made_is_an_error) {
  const TemporaryDirectory dir;
  net::OsRandom random;
  EXPECT_FALSE(make_secret_file(dir / "nowhere/secret", random));
}

}  // namespace
}  // namespace qmux::app

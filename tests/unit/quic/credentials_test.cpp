// SPDX-License-Identifier: MIT
#include "quic/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "quic/limits.h"
#include "support/source_tree.h"
#include "unit/quic/self_signed.h"

namespace qmux::quic {
namespace {

using ::testing::HasSubstr;

using test::fixture;

const CredentialFiles kServer{fixture("server.crt"), fixture("server.key"), fixture("ca.crt")};

Error failure(const CredentialFiles& files, Credentials::Purpose purpose = Credentials::Purpose::server) {
  auto loaded = Credentials::load(files, purpose);
  EXPECT_FALSE(loaded);
  return loaded ? Error{} : loaded.error();
}

CredentialFiles with(std::string CredentialFiles::* file, const std::string& path) {
  CredentialFiles files = kServer;
  files.*file = path;
  return files;
}

TEST(Credentials, load_what_belongs_together) { EXPECT_TRUE(Credentials::load(kServer, Credentials::Purpose::server)); }

TEST(Credentials, secret_of_a_file_outlives_a_new_key) {
  const TemporaryFile file("0123456789abcdef0123456789abcdef\n");
  CredentialFiles files = kServer;
  files.secret = file.path;
  const auto before = Credentials::load(files, Credentials::Purpose::server);
  const auto after = Credentials::load({fixture("nameless_server.crt"), fixture("nameless_server.key"), "", file.path},
                                       Credentials::Purpose::server);
  const auto without = Credentials::load(kServer, Credentials::Purpose::server);
  ASSERT_TRUE(before && after && without);
  EXPECT_TRUE(std::ranges::equal((*before)->secret(), (*after)->secret()));
  EXPECT_FALSE(std::ranges::equal((*before)->secret(), (*without)->secret()));
}

TEST(Credentials, a_secret_that_could_be_guessed_is_refused) {
  const TemporaryFile file("0123456789abcdef");
  EXPECT_THAT(failure(with(&CredentialFiles::secret, file.path)).text(), HasSubstr("too short"));
}

TEST(Credentials, secret_depends_on_the_key_alone) {
  const auto once = Credentials::load(kServer, Credentials::Purpose::server);
  const auto again = Credentials::load(kServer, Credentials::Purpose::server);
  const auto other =
      Credentials::load({fixture("client.crt"), fixture("client.key"), ""}, Credentials::Purpose::client);
  ASSERT_TRUE(once && again && other);
  EXPECT_TRUE(std::ranges::equal((*once)->secret(), (*again)->secret()));
  EXPECT_FALSE(std::ranges::equal((*once)->secret(), (*other)->secret()));
}

TEST(Credentials, tell_from_when_to_when_they_are_valid_and_refuse_none_for_it) {
  const auto expired = Credentials::load({fixture("expired_client.crt"), fixture("expired_client.key"), ""},
                                         Credentials::Purpose::client);
  ASSERT_TRUE(expired);
  ASSERT_TRUE((*expired)->validity());
  EXPECT_LT((*expired)->validity()->not_before, (*expired)->validity()->not_after);
  const auto anonymous = Credentials::load({"", "", fixture("ca.crt")}, Credentials::Purpose::client);
  ASSERT_TRUE(anonymous);
  EXPECT_FALSE((*anonymous)->validity());
}

TEST(Credentials, name_the_file_that_cannot_be_read) {
  for (const auto file : {&CredentialFiles::certificate, &CredentialFiles::key, &CredentialFiles::trust}) {
    EXPECT_EQ(failure(with(file, "/nowhere/x.pem")).where, "/nowhere/x.pem");
    EXPECT_THAT(failure(with(file, "/")).text(), HasSubstr("/: cannot be read: not a regular file"));
    EXPECT_THAT(failure(with(file, "/dev/zero")).text(), HasSubstr("not a regular file"));
    const TemporaryFile large(std::string(limits::kPemFileBytesMax + 1, '-'));
    EXPECT_THAT(failure(with(file, large.path)).text(), HasSubstr("larger than any PEM file"));
    const TemporaryFile nonsense("not PEM");
    EXPECT_EQ(failure(with(file, nonsense.path)).where, nonsense.path);
  }
}

TEST(Credentials, refuse_a_key_of_another_certificate) {
  EXPECT_THAT(failure(with(&CredentialFiles::key, fixture("client.key"))).text(), HasSubstr("does not belong to"));
}

TEST(Credentials, refuse_a_certificate_for_another_purpose) {
  EXPECT_THAT(failure(kServer, Credentials::Purpose::client).expected, HasSubstr("clientAuth"));
  EXPECT_THAT(failure(with(&CredentialFiles::certificate, fixture("ca.crt"))).expected, HasSubstr("digitalSignature"));
}

}  // namespace
}  // namespace qmux::quic

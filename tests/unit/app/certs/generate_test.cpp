// SPDX-License-Identifier: MIT
#include "app/certs/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "app/temporary_directory.h"

namespace qmux::app {
namespace {

using ::testing::ElementsAre;

std::time_t now() { return std::time(nullptr); }

CertsOptions options_for(const TemporaryDirectory& dir) {
  return {.directory = dir / "certs", .server_names = {"example.com", "10.0.0.1"}};
}

bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

TEST(GenerateCertificates, writes_six_files_with_the_keys_private) {
  const TemporaryDirectory dir;
  const auto written = generate_certificates(options_for(dir), now());
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_THAT(*written, ElementsAre(dir / "certs/ca.crt", dir / "certs/ca.key", dir / "certs/server.crt",
                                    dir / "certs/server.key", dir / "certs/client.crt", dir / "certs/client.key"));
  for (const auto* name : {"ca", "server", "client"}) {
    EXPECT_EQ(dir.mode(std::string("certs/") + name + ".crt"), 0644U);
    EXPECT_EQ(dir.mode(std::string("certs/") + name + ".key"), 0600U);
  }
}

TEST(GenerateCertificates, never_overwrites_unasked) {
  const TemporaryDirectory dir;
  std::filesystem::create_directory(dir / "certs");
  dir.write("certs/client.key", "mine");
  const auto refused = generate_certificates(options_for(dir), now());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().text(), dir / "certs/client.key" + ": exists already and is left as it is");
  EXPECT_FALSE(std::filesystem::exists(dir / "certs/ca.crt"));

  CertsOptions by_force = options_for(dir);
  by_force.existing = Existing::replace;
  EXPECT_TRUE(generate_certificates(by_force, now()).has_value());
  EXPECT_TRUE(dir.read("certs/client.key").starts_with("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(dir.mode("certs/client.key"), 0600U);
}

TEST(GenerateCertificates, satisfies_openssl) {
  if (!run("openssl version")) GTEST_SKIP() << "no openssl command";
  const TemporaryDirectory dir;
  ASSERT_TRUE(generate_certificates(options_for(dir), now()).has_value());
  ASSERT_TRUE(generate_client_certificate(options_for(dir), "second", now()).has_value());
  const std::string verify = "cd " + dir / "certs" + " && openssl verify -x509_strict -CAfile ca.crt ";
  EXPECT_TRUE(run(verify + "-purpose sslserver -verify_hostname example.com server.crt"));
  EXPECT_TRUE(run(verify + "-purpose sslserver -verify_hostname qmux-server server.crt"));
  EXPECT_TRUE(run(verify + "-purpose sslserver -verify_ip 10.0.0.1 server.crt"));
  EXPECT_TRUE(run(verify + "-purpose sslserver -verify_ip ::1 server.crt"));
  EXPECT_TRUE(run(verify + "-purpose sslclient client.crt second.crt"));
  EXPECT_FALSE(run(verify + "-purpose sslclient server.crt"));
  EXPECT_FALSE(run(verify + "-purpose sslserver client.crt"));
  EXPECT_FALSE(run(verify + "-purpose sslserver -verify_hostname example.org server.crt"));
}

TEST(GenerateClientCertificate, issues_one_more_and_touches_nothing_else) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(generate_certificates(options_for(dir), now()).has_value());
  const std::string authority = dir.read("certs/ca.crt");
  const std::string client = dir.read("certs/client.crt");
  const auto written = generate_client_certificate(options_for(dir), "office", now());
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_THAT(*written, ElementsAre(dir / "certs/office.crt", dir / "certs/office.key"));
  EXPECT_EQ(dir.mode("certs/office.key"), 0600U);
  EXPECT_EQ(dir.read("certs/ca.crt"), authority);
  EXPECT_EQ(dir.read("certs/client.crt"), client);
  EXPECT_FALSE(generate_client_certificate(options_for(dir), "office", now()).has_value()) << "it exists";
}

TEST(GenerateClientCertificate, wants_an_authority) {
  const TemporaryDirectory dir;
  EXPECT_EQ(generate_client_certificate(options_for(dir), "office", now()).error().text(),
            dir / "certs/ca.crt" + ": cannot be read: No such file or directory");
}

TEST(GenerateClientCertificate, wants_a_name_that_does_for_a_file) {
  for (const auto* name : {"", "a/b", "..", ".hidden", "-rf", "a b", "b\xc3\xbcro", "ca", "server"}) {
    EXPECT_FALSE(check_client_name(name).has_value()) << name;
  }
  EXPECT_FALSE(check_client_name(std::string(65, 'a')).has_value());
  for (const auto* name : {"office", "_x", "a.b-c_D9", "client2"})
    EXPECT_TRUE(check_client_name(name).has_value()) << name;
}

}  // namespace
}  // namespace qmux::app

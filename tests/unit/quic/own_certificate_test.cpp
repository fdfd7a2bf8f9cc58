// SPDX-License-Identifier: MIT
#include "quic/own_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unit/quic/quic_pair.h"
#include "unit/quic/self_signed.h"

namespace qmux::quic {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::shared_ptr<const Credentials> load(const CredentialFiles& files, Credentials::Purpose purpose,
                                        std::string_view schemes = {}) {
  auto loaded = Credentials::load(files, purpose, schemes);
  EXPECT_TRUE(loaded) << loaded.error().text();
  return loaded ? std::move(*loaded) : nullptr;
}

/// A client and a server, each its own authority and trusted by the other, and what each takes of its peer: all that is usual,
/// or the signature schemes of a priority string.
struct TwoKinds {
  TwoKinds(const KeyOfKind& server, const KeyOfKind& client, std::string_view server_takes = {},
           std::string_view client_takes = {})
      : server_identity(server),
        client_identity(client),
        pair(load(server_identity.files(client_identity), Credentials::Purpose::server, server_takes),
             load(client_identity.files(server_identity), Credentials::Purpose::client, client_takes)) {}

  SelfSigned server_identity;
  SelfSigned client_identity;
  QuicPair pair;
};

class OwnCertificateOfKind : public ::testing::TestWithParam<KeyOfKind> {};

TEST_P(OwnCertificateOfKind, is_shown_by_both_sides) {
  TwoKinds kinds(GetParam(), GetParam());
  kinds.pair.establish();
}

INSTANTIATE_TEST_SUITE_P(Kinds, OwnCertificateOfKind,
                         ::testing::Values(kRsa, kRsaPss, kP256, kP384, kP521, kEd25519, kEd448),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST(OwnCertificate, with_an_rsa_key_is_shown_to_a_server_that_names_rsa_pss_schemes_alone) {
  TwoKinds kinds(kRsa, kRsa, ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256");
  kinds.pair.establish();
}

/// Why this side's connection ended.
std::optional<CloseCause> cause_at(QuicPair& pair, const Side& side) {
  pair.connect();
  EXPECT_TRUE(pair.run_until([&] { return side.cause.has_value(); }));
  return side.cause;
}

TEST(OwnCertificate, that_the_server_does_not_take_is_named_by_the_client) {
  TwoKinds kinds(kP384, kP256, ":-SIGN-ALL:+SIGN-ECDSA-SECP384R1-SHA384");
  const auto cause = cause_at(kinds.pair, kinds.pair.client);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->kind, CloseCause::Kind::own_certificate);
  EXPECT_THAT(cause->text,
              HasSubstr("the server takes no certificate with a key of the kind ECDSA P-256: it takes ECDSA P-384"));
}

TEST(OwnCertificate, that_the_client_does_not_take_is_named_by_the_server) {
  TwoKinds kinds(kEd25519, kP256, {}, ":-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-RSA-PSS-RSAE-SHA256");
  const auto cause = cause_at(kinds.pair, kinds.pair.server);
  ASSERT_TRUE(cause);
  EXPECT_THAT(cause->text,
              HasSubstr("the client takes no certificate with a key of the kind Ed25519: it takes RSA, ECDSA P-256"));
}

TEST(OwnCertificate, that_was_shown_is_not_blamed_when_the_peer_does_not_believe_it) {
  const SelfSigned server(kP256);
  const SelfSigned client(kP256);
  const SelfSigned other(kP256);
  QuicPair pair(load(server.files(other), Credentials::Purpose::server),
                load(client.files(server), Credentials::Purpose::client));
  const auto cause = cause_at(pair, pair.client);
  ASSERT_TRUE(cause);
  EXPECT_THAT(cause->text, Not(HasSubstr("takes no certificate")));
}

Error failure(const CredentialFiles& files) {
  auto loaded = Credentials::load(files, Credentials::Purpose::server);
  EXPECT_FALSE(loaded);
  return loaded ? Error{} : loaded.error();
}

TEST(OwnCertificate, of_a_kind_without_a_scheme_is_refused_by_file_and_kind) {
  const SelfSigned p224(kP224);
  const Error error = failure(p224.files());
  EXPECT_EQ(error.where, p224.certificate.path);
  EXPECT_THAT(error.what, HasSubstr("ECDSA SECP224R1"));
  EXPECT_THAT(error.expected, HasSubstr("P-256"));
}

TEST(OwnCertificate, with_an_rsa_key_too_short_is_refused_by_file_and_size) {
  const SelfSigned shorter({"short", GNUTLS_PK_RSA, 1008});
  const Error error = failure(shorter.files());
  EXPECT_EQ(error.where, shorter.certificate.path);
  EXPECT_THAT(error.what, HasSubstr("1008 bits"));
  EXPECT_THAT(error.expected, StartsWith("an RSA key of 2048 bits"));
}

TEST(OwnCertificate, is_refused_with_a_key_of_the_same_or_another_kind_that_is_not_its_own) {
  const SelfSigned p256(kP256);
  for (const KeyOfKind& kind : {kP256, kP384, kEd25519, kRsaPss}) {
    const SelfSigned other(kind);
    const Error error = failure({p256.certificate.path, other.key.path, ""});
    EXPECT_EQ(error.where, other.key.path);
    EXPECT_THAT(error.what, HasSubstr("does not belong to the certificate " + p256.certificate.path));
  }
}

}  // namespace
}  // namespace qmux::quic

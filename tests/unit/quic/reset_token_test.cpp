// SPDX-License-Identifier: MIT
#include "quic/reset_token.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace qmux::quic {
namespace {

using Token = std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN>;

Token token_of(std::string_view secret, std::string_view local, std::uint8_t id_byte) {
  ngtcp2_cid id{};
  id.datalen = 12;
  id.data[5] = id_byte;
  Token token{};
  make_reset_token(ResetToken(token), as_bytes(secret), *Address::parse(local), id);
  return token;
}

TEST(ResetToken, is_the_same_after_a_restart) {
  EXPECT_EQ(token_of("secret", "192.0.2.1:8443", 7), token_of("secret", "192.0.2.1:8443", 7));
}

TEST(ResetToken, of_one_id_differs_by_secret_address_and_port) {
  const Token token = token_of("secret", "192.0.2.1:8443", 7);
  EXPECT_NE(token, token_of("other secret", "192.0.2.1:8443", 7));
  EXPECT_NE(token, token_of("secret", "192.0.2.1:8444", 7)) << "another listener";
  EXPECT_NE(token, token_of("secret", "192.0.2.2:8443", 7)) << "another server with the same files";
  EXPECT_NE(token, token_of("secret", "192.0.2.1:8443", 8));
}

TEST(ResetToken, does_not_depend_on_the_family_of_the_socket) {
  EXPECT_EQ(token_of("secret", "192.0.2.1:8443", 7), token_of("secret", "[::ffff:192.0.2.1]:8443", 7));
}

}  // namespace
}  // namespace qmux::quic

// SPDX-License-Identifier: MIT
//
// An error caused from outside (a peer, a file, the network, a user) is returned as a Result. An error that only our own bug can
// cause is a CHECK (base/check.h).
#pragma once

#include <expected>
#include <string>

namespace qmux {

/// An error caused from outside: by a peer, a file, the network or a user. All three texts are for people and never hold a
/// secret.
struct Error {
  std::string what;      ///< what is wrong: "port 70000 is out of range"
  std::string where;     ///< where: "server.yaml:3:17 listeners[0].quic_addr"; empty when no place is known
  std::string expected;  ///< what would be right: "a port from 1 to 65535"; empty when `what` says it

  /// "where: what (expected ...)" on one line.
  [[nodiscard]] std::string text() const;
};

template <typename T>
using Result = std::expected<T, Error>;

/// Shorthand for a failed Result.
[[nodiscard]] std::unexpected<Error> fail(std::string what, std::string where = {}, std::string expected = {});

}  // namespace qmux

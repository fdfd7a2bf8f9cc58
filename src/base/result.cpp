// SPDX-License-Identifier: MIT
#include "base/result.h"

#include <utility>

namespace qmux {

std::string Error::text() const {
  std::string line;
  if (!where.empty()) line += where + ": ";
  line += what;
  if (!expected.empty()) line += " (expected " + expected + ")";
  return line;
}

std::unexpected<Error> fail(std::string what, std::string where, std::string expected) {
  return std::unexpected(Error{std::move(what), std::move(where), std::move(expected)});
}

}  // namespace qmux

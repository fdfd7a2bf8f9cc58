// SPDX-License-Identifier: MIT
//
// What an inspection finds wrong: a line each.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qmux::sim {

class Findings {
 public:
  void require(bool holds, const std::string& who, std::string_view what) {
    if (!holds) lines_.push_back(fmt::format("{}: {}", who, what));
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace qmux::sim

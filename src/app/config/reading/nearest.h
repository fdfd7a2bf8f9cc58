// SPDX-License-Identifier: MIT
//
// "Did you mean": the known name nearest to one that is not known.
#pragma once

#include <span>
#include <string_view>

namespace qmux::app {

/// The candidate with the smallest edit distance. Upper and lower case are equal, and so are `_` and `-`. Empty when none is near
/// enough: at most one edit for every three characters of the shorter name, and at most three edits.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace qmux::app

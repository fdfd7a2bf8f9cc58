// SPDX-License-Identifier: MIT
//
// "Did you mean": the known name nearest to one that is not known.
#pragma once

#include <span>
#include <string_view>

namespace qmux::app {

/// The candidate with the smallest edit distance, letters' case and `_` against `-` disregarded; empty when none is near
/// enough to be what was meant: an edit for every three characters of the shorter name, three at most.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace qmux::app

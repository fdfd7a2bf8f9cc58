// SPDX-License-Identifier: MIT
#include "app/config/reading/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace qmux::app {
namespace {

char folded(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

/// Insertions, deletions, replacements and swaps of neighbours, each counted as one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_above(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1])) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
    }
    std::swap(two_above, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t kNameBytesMax = 64;  // longer than every known name; the cost is the product of the lengths
  constexpr std::size_t kSlipsMax = 3;  // with more edits, names with a common beginning or end would match each other
  if (name.size() > kNameBytesMax) return {};
  std::string_view best;
  std::size_t best_distance = kNameBytesMax;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance <= std::min({name.size() / 3, candidate.size() / 3, kSlipsMax})) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace qmux::app

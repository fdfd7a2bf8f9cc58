// SPDX-License-Identifier: MIT
//
// Reads one JSON object straight into the fields of a struct, without building a tree. Whatever a peer sends, this needs only the
// memory of the requested fields, and nesting costs nothing. No exception leaves it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace qmux::wire {

/// A name in the object and the place for its value; the type of the place is the type that the value must
/// have.
struct JsonField {
  using Place = std::variant<bool*, std::uint32_t*, std::uint64_t*, std::int64_t*, std::string*,
                             std::vector<std::string>*, std::vector<std::uint32_t>*>;

  std::string_view name;
  Place place;
  bool required = true;  ///< otherwise it may be missing or null and keeps the value it has
};

/// `json` is exactly one object. Other names in it are ignored, whatever their values. Of a repeated name the last one counts. An
/// Error's `where` is "object.name". After an Error the values in the places are unspecified.
[[nodiscard]] Result<void> read_json_object(ConstBytes json, std::string_view object,
                                            std::span<const JsonField> fields);

}  // namespace qmux::wire

// SPDX-License-Identifier: MIT
//
// What the YAML library complains of, in words for those who wrote the file, and without repeating it: a secret may stand
// there.
#pragma once

#include <string>
#include <string_view>

#include "app/config/reading/yaml_tree.h"

namespace qmux::app {

/// `message` is the library's, about the place `mark` in `text`.
[[nodiscard]] YamlProblem explain_yaml(std::string_view text, Mark mark, const std::string& message);

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// Explains an error of the YAML library to the author of the file. It never repeats text of the file, which may hold a secret.
#pragma once

#include <string>
#include <string_view>

#include "app/config/reading/yaml_tree.h"

namespace qmux::app {

/// `message` is the library's and concerns the place `mark` in `text`.
[[nodiscard]] YamlProblem explain_yaml(std::string_view text, Mark mark, const std::string& message);

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// The common steps of loading a server's and a client's file.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/reading/loaded.h"
#include "app/config/reading/report.h"
#include "app/config/reading/section.h"

namespace qmux::app {

/// Reads a whole file of at most 1 MiB.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);

/// Parses `yaml`, reads its keys as declared by `declare`, then runs `check` over the values. `known` are all the keys, `secret`
/// the one whose value no error repeats.
void read_document(std::string_view yaml, Report& report, std::span<const KeyInfo> known, const SecretKey& secret,
                   const DeclareKeys& declare, const std::function<void(Report&)>& check);

template <typename T>
LoadResult<T> finish(Report& report, T config) {
  if (!report.ok()) return std::unexpected(report.take_errors());
  return Loaded<T>{std::move(config), report.take_warnings(), report.take_notices(), report.file()};
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// A configuration file: whatever stands in it is read or refused, with a place for every error.
#include <cstdint>
#include <string_view>

#include "app/config/load.h"
#include "base/check.h"

namespace {

template <typename T>
void check(const qmux::app::LoadResult<T>& result) {
  if (result) return;
  CHECK(!result.error().empty());
  for (const qmux::Error& error : result.error()) {
    CHECK(error.where.starts_with("file:"));
    CHECK(!error.what.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(qmux::app::parse_server_config(text, "file"));
  check(qmux::app::parse_client_config(text, "file"));
  return 0;
}

// SPDX-License-Identifier: MIT
//
// A client's configuration file: any text is either a configuration or a list of errors that name a place.
#include <cstdint>

#include "app/config/load.h"
#include "base/bytes.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmux;
  const auto loaded = app::parse_client_config(as_text(std::as_bytes(std::span(data, size))), "client.yaml");
  if (loaded) {
    CHECK(!loaded->config.options.servers.empty());
    return 0;
  }
  CHECK(!loaded.error().empty());
  for (const Error& error : loaded.error()) {
    // The last of very many counts those left out, wherever they are.
    const bool left_out = &error == &loaded.error().back() && error.what.starts_with("and ");
    CHECK(left_out || error.where.starts_with("client.yaml"));
  }
  return 0;
}

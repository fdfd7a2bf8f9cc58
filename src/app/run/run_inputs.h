// SPDX-License-Identifier: MIT
//
// What a server or a client needs, besides its configuration file, before it opens its first socket: certificates, keys, and the
// addresses of names. `qmux run` starts with it. `qmux config check` gathers the same and starts nothing, so both fail for the
// same reasons. Plain values; one thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/load.h"
#include "app/run/certificate_dates.h"
#include "base/address.h"
#include "base/result.h"
#include "quic/credentials.h"

namespace qmux::app {

/// The addresses of one listener. Port 0 still means any free port.
struct ListenAddresses {
  Address quic;
  Address traffic;
};

struct RunInputs {
  std::shared_ptr<const quic::Credentials> credentials;
  std::string certificate_file;            ///< the own certificate; empty when there is none
  std::optional<DateTrouble> dates;        ///< of the own certificate; only warned of, since a clock may be wrong
  std::vector<ListenAddresses> listeners;  ///< of a server, in the order of the configuration
};

/// On failure all errors, not only the first. Reads files and looks up the names of listeners, which may block; opens no port.
/// `now`: seconds since 1970.
[[nodiscard]] std::expected<RunInputs, std::vector<Error>> gather_inputs(const Loaded<ServerConfig>& loaded,
                                                                         std::int64_t now);
[[nodiscard]] std::expected<RunInputs, std::vector<Error>> gather_inputs(const Loaded<ClientConfig>& loaded,
                                                                         std::int64_t now);

}  // namespace qmux::app

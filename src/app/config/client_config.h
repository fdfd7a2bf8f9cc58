// SPDX-License-Identifier: MIT
//
// The configuration of `qmux run client`. A plain value; load_client_config() returns it complete and checked. Values that a
// lower layer needs are in that layer's own options, with their defaults.
#pragma once

#include <cstdint>
#include <string>

#include "app/config/common_config.h"
#include "base/secret.h"
#include "tunnel/options.h"

namespace qmux::app {

struct ClientAuthConfig {
  AuthMethod method = AuthMethod::mtls;
  Secret token;  ///< set with token
};

struct ClientTlsConfig {
  std::string ca_cert_file;
  std::string client_cert_file;  ///< set with mtls
  std::string client_key_file;   ///< set with mtls
};

struct ClientConfig {
  tunnel::ClientOptions options;  ///< without what is loaded at start
  ClientTlsConfig tls;
  ClientAuthConfig auth;
  std::uint32_t workers = 1;  ///< event loops, at least one
  bool watch_files = false;   ///< reload when one of the files has changed
  LogConfig log;
};

}  // namespace qmux::app

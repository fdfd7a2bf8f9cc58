// SPDX-License-Identifier: MIT
//
// `qmux generate certs`: the files that a server and its clients need for mutual TLS.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "app/certs/issue.h"
#include "app/files.h"
#include "base/result.h"

namespace qmux::app {

struct CertsOptions {
  std::string directory = "./certs";      ///< made when it is not there
  std::vector<std::string> server_names;  ///< DNS names and IP addresses
  unsigned years = 10;
  KeyType key_type = KeyType::ecdsa;
  Existing existing = Existing::keep;
};

/// Whether each is a DNS name or an IP address.
[[nodiscard]] Result<void> check_server_names(const std::vector<std::string>& names);
/// Letters, digits, ".", "_" and "-", at most 64: it becomes a file's name and the certificate's common name.
[[nodiscard]] Result<void> check_client_name(const std::string& name);

/// ca, server and client, each with .crt (0644) and .key (0600). Gives the paths written.
[[nodiscard]] Result<std::vector<std::string>> generate_certificates(const CertsOptions& options, std::time_t now);

/// One more client, NAME.crt and NAME.key, from ca.crt and ca.key in the directory. It expires with its authority at the
/// latest. Gives the paths written.
[[nodiscard]] Result<std::vector<std::string>> generate_client_certificate(const CertsOptions& options,
                                                                           const std::string& client, std::time_t now);

}  // namespace qmux::app

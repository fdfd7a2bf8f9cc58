// SPDX-License-Identifier: MIT
#include "app/run/run_inputs.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/files.h"
#include "net/resolver.h"

namespace qmux::app {
namespace {

using Gathered = std::expected<RunInputs, std::vector<Error>>;

/// Without tokens a client would not be authenticated, so a file that requires them must not get another method.
void check_method(AuthMethod method, const std::string& file, std::vector<Error>& errors) {
  if (method != AuthMethod::token) return;
  errors.push_back(
      {.what = "token authentication is not available yet", .where = file + ": auth.method", .expected = "mtls"});
}

/// Of a file that is checked only after another one.
void check_readable(const std::string& path, std::vector<Error>& errors) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
  errors.push_back(
      {.what = "cannot be read: " + std::generic_category().message(errno), .where = path, .expected = "a PEM file"});
}

/// What is wrong with the own certificate and with the authority's, each separately.
void add_credential_errors(const quic::CredentialFiles& files, quic::Credentials::Purpose purpose, Error first,
                           std::vector<Error>& errors) {
  const auto own = quic::Credentials::load({.certificate = files.certificate, .key = files.key, .trust = {}}, purpose);
  const auto authority = quic::Credentials::load({.certificate = {}, .key = {}, .trust = files.trust}, purpose);
  if (!own) {
    errors.push_back(own.error());
    if (own.error().where != files.key) check_readable(files.key, errors);
  }
  if (!authority) errors.push_back(authority.error());
  if (own && authority) errors.push_back(std::move(first));
}

void load_credentials(const quic::CredentialFiles& files, quic::Credentials::Purpose purpose, std::int64_t now,
                      RunInputs& inputs, std::vector<Error>& errors) {
  auto credentials = quic::Credentials::load(files, purpose);
  if (!credentials) {
    add_credential_errors(files, purpose, std::move(credentials.error()), errors);
    return;
  }
  inputs.credentials = std::move(*credentials);
  inputs.certificate_file = files.certificate;
  if (const auto& validity = inputs.credentials->validity()) inputs.dates = date_trouble(*validity, now);
}

/// `key`: the key that holds the name.
Address look_up(const HostPort& host, const std::string& key, std::vector<Error>& errors) {
  auto addresses = net::look_up_now(host);
  if (!addresses) {
    errors.push_back({.what = addresses.error().what, .where = key, .expected = {}});
  } else if (addresses->empty()) {
    errors.push_back({.what = "\"" + host.host + "\" has no addresses", .where = key, .expected = {}});
  } else {
    return addresses->front();
  }
  return {};
}

void look_up_listeners(const Loaded<ServerConfig>& loaded, RunInputs& inputs, std::vector<Error>& errors) {
  const auto& listeners = loaded.config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const std::string path = loaded.file + ": listeners[" + std::to_string(i) + "].";
    inputs.listeners.push_back({.quic = look_up(listeners[i].quic_addr, path + "quic_addr", errors),
                                .traffic = look_up(listeners[i].traffic_addr, path + "traffic_addr", errors)});
  }
}

/// The file, or nothing where it has not been made yet. `qmux run server` has made it before this call, if it could.
std::string existing(const std::string& secret_file, std::vector<Error>& errors) {
  std::error_code error;
  if (secret_file.empty() || std::filesystem::exists(secret_file, error) || error) return secret_file;
  if (auto place = check_place(secret_file); !place) errors.push_back(std::move(place.error()));
  return {};
}

Gathered finish(RunInputs inputs, std::vector<Error> errors) {
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return inputs;
}

}  // namespace

Gathered gather_inputs(const Loaded<ServerConfig>& loaded, std::int64_t now) {
  const ServerConfig& config = loaded.config;
  RunInputs inputs;
  std::vector<Error> errors;
  check_method(config.auth.method, loaded.file, errors);
  load_credentials({.certificate = config.tls.server_cert_file,
                    .key = config.tls.server_key_file,
                    .trust = config.auth.ca_cert_file,
                    .secret = existing(config.tls.quic_secret_file, errors)},
                   quic::Credentials::Purpose::server, now, inputs, errors);
  look_up_listeners(loaded, inputs, errors);
  return finish(std::move(inputs), std::move(errors));
}

Gathered gather_inputs(const Loaded<ClientConfig>& loaded, std::int64_t now) {
  const ClientConfig& config = loaded.config;
  RunInputs inputs;
  std::vector<Error> errors;
  check_method(config.auth.method, loaded.file, errors);
  load_credentials(
      {.certificate = config.tls.client_cert_file, .key = config.tls.client_key_file, .trust = config.tls.ca_cert_file},
      quic::Credentials::Purpose::client, now, inputs, errors);
  return finish(std::move(inputs), std::move(errors));
}

}  // namespace qmux::app

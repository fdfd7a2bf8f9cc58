// SPDX-License-Identifier: MIT
#include "app/run_inputs.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "net/resolver.h"

namespace qmux::app {
namespace {

using Gathered = std::expected<RunInputs, std::vector<Error>>;

/// Without tokens nothing would tell who connects, so a file that asks for them must not be given something else.
void check_method(AuthMethod method, const std::string& file, std::vector<Error>& errors) {
  if (method != AuthMethod::token) return;
  errors.push_back(
      {.what = "token authentication is not available yet", .where = file + ": auth.method", .expected = "mtls"});
}

/// Of a file that is looked at only after another one.
void check_readable(const std::string& path, std::vector<Error>& errors) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
  errors.push_back(
      {.what = "cannot be read: " + std::generic_category().message(errno), .where = path, .expected = "a PEM file"});
}

/// What is wrong with the own certificate and with the authority's, each by itself.
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

Result<Address> look_up(const HostPort& where) {
  auto addresses = net::look_up_now(where);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  if (addresses->empty()) return fail("the name has no addresses", where.text());
  return addresses->front();
}

void look_up_listeners(const std::vector<ListenerConfig>& listeners, RunInputs& inputs, std::vector<Error>& errors) {
  for (const ListenerConfig& listener : listeners) {
    auto quic = look_up(listener.quic_addr);
    auto traffic = look_up(listener.traffic_addr);
    if (!quic) errors.push_back(std::move(quic.error()));
    if (!traffic) errors.push_back(std::move(traffic.error()));
    if (quic && traffic) inputs.listeners.push_back({.quic = *quic, .traffic = *traffic});
  }
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
                    .trust = config.auth.ca_cert_file},
                   quic::Credentials::Purpose::server, now, inputs, errors);
  look_up_listeners(config.listeners, inputs, errors);
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

// SPDX-License-Identifier: MIT
#include "app/certs/generate.h"

#include <algorithm>
#include <utility>

namespace qmux::app {
namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kCertificateMode = 0644;
constexpr mode_t kKeyMode = 0600;

std::string path_in(const std::string& directory, std::string_view name) {
  return directory + (directory.ends_with('/') ? "" : "/") + std::string(name);
}

/// The two files of an identity, kept alive until they are written.
struct IdentityFiles {
  std::string certificate_path;
  std::string certificate;
  std::string key_path;
  std::string key;
};

IdentityFiles files_of(const std::string& directory, const std::string& name, const Identity& identity) {
  return {path_in(directory, name + ".crt"), certificate_pem(identity), path_in(directory, name + ".key"),
          private_key_pem(identity)};
}

Result<std::vector<std::string>> write(const std::vector<IdentityFiles>& identities, Existing existing) {
  std::vector<NewFile> files;
  std::vector<std::string> paths;
  for (const IdentityFiles& identity : identities) {
    files.push_back({identity.certificate_path, identity.certificate, kCertificateMode});
    files.push_back({identity.key_path, identity.key, kKeyMode});
    paths.push_back(identity.certificate_path);
    paths.push_back(identity.key_path);
  }
  if (auto written = write_files(files, existing); !written) return std::unexpected(std::move(written.error()));
  return paths;
}

}  // namespace

Result<void> check_server_names(const std::vector<std::string>& names) {
  if (auto sorted = server_names(names); !sorted) return std::unexpected(std::move(sorted.error()));
  return {};
}

Result<void> check_client_name(const std::string& name) {
  constexpr std::size_t kCommonNameBytesMax = 64;  // RFC 5280 appendix A.1, ub-common-name
  const bool fit = !name.empty() && name.size() <= kCommonNameBytesMax && name.front() != '.' && name.front() != '-' &&
                   std::ranges::all_of(name, [](char c) {
                     return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                            c == '_' || c == '-';
                   });
  if (!fit) {
    return fail("\"" + name + "\" is not a valid client name", {},
                "up to " + std::to_string(kCommonNameBytesMax) +
                    R"( letters, digits, ".", "_" and "-", the first a letter, digit or "_")");
  }
  if (name == "ca" || name == "server")
    return fail("\"" + name + "\" names a file of another kind", {}, "another name");
  return {};
}

Result<std::vector<std::string>> generate_certificates(const CertsOptions& options, std::time_t now) {
  const auto names = server_names(options.server_names);
  if (!names) return std::unexpected(names.error());
  if (auto made = make_directories(options.directory, kDirectoryMode); !made) return std::unexpected(made.error());

  const Validity validity = validity_from(now, options.years);
  const auto authority = make_authority(options.key_type, validity);
  if (!authority) return std::unexpected(authority.error());
  const auto server = issue_server(*authority, options.key_type, validity, *names);
  if (!server) return std::unexpected(server.error());
  const auto client = issue_client(*authority, options.key_type, validity, "QMux Client");
  if (!client) return std::unexpected(client.error());

  std::vector<IdentityFiles> identities;
  identities.push_back(files_of(options.directory, "ca", *authority));
  identities.push_back(files_of(options.directory, "server", *server));
  identities.push_back(files_of(options.directory, "client", *client));
  return write(identities, options.existing);
}

Result<std::vector<std::string>> generate_client_certificate(const CertsOptions& options, const std::string& client,
                                                             std::time_t now) {
  constexpr std::size_t kPemBytesMax = std::size_t{64} * 1024;
  if (auto fit = check_client_name(client); !fit) return std::unexpected(fit.error());
  const std::string certificate_file = path_in(options.directory, "ca.crt");
  const std::string key_file = path_in(options.directory, "ca.key");
  const auto certificate = read_file(certificate_file, kPemBytesMax);
  if (!certificate) return std::unexpected(certificate.error());
  const auto key = read_file(key_file, kPemBytesMax);
  if (!key) return std::unexpected(key.error());
  const auto authority = import_authority(*certificate, *key, now, certificate_file, key_file);
  if (!authority) return std::unexpected(authority.error());

  const auto identity = issue_client(*authority, options.key_type, validity_from(now, options.years), client);
  if (!identity) return std::unexpected(identity.error());
  return write({files_of(options.directory, client, *identity)}, options.existing);
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// The keys of a client's file and what must hold across them.
#include <algorithm>
#include <unordered_set>

#include "app/config/common_keys.h"
#include "app/config/load.h"
#include "app/config/reading/load_file.h"
#include "wire/limits.h"

namespace qmux::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kServersMax = 10;

void server_entry_keys(Section& keys, tunnel::ServerEntry& server) {
  keys.address("address", server.address, 1).required();
  keys.host("server_name", server.server_name);
  keys.flag("all_addresses", server.all_addresses);
}

void local_keys(Section& keys, HostPort& local) {
  keys.host("host", local.host).required();
  keys.number("port", local.port, 1, 65'535).required();
}

void tls_keys(Section& keys, ClientTlsConfig& tls) {
  keys.file("ca_cert_file", tls.ca_cert_file).required();
  keys.file("client_cert_file", tls.client_cert_file);
  keys.file("client_key_file", tls.client_key_file);
}

void auth_keys(Section& keys, ClientAuthConfig& auth) {
  auth_method_key(keys, auth.method);
  keys.secret("token", auth.token).no_effect_yet();
}

void client_file_keys(Section& keys, ClientConfig& client) {
  keys.text("client_id", client.options.client_id, limits::kClientIdBytesMax);
  keys.section("server", [&](Section& server) {
    server.list("servers", client.options.servers, server_entry_keys);
    server.duration("resolve_interval", client.options.resolve_interval, 1s, 1h);
  });
  keys.section("local", [&](Section& local) { local_keys(local, client.options.local_service.address); });
  keys.section("quic", [&](Section& quic) { quic_keys(quic, client.options.transport); });
  keys.section("udp", [&](Section& udp) { udp_keys(udp, client.options.udp_options); });
  keys.section("tls", [&](Section& tls) { tls_keys(tls, client.tls); });
  keys.section("auth", [&](Section& auth) { auth_keys(auth, client.auth); });
  health_keys(keys, client.options.health);
  keys.section("reconnect", [&](Section& reconnect) {
    reconnect.duration("max_backoff", client.options.backoff_time_max, 100ms, 1h);
  });
  tcp_keepalive_key(keys, client.options.tcp_keep_alive);
  drain_timeout_key(keys, client.options.drain_timeout);
  keys.flag("watch_files", client.watch_files);
  keys.number("workers", client.workers, 0, kWorkersMax);
  keys.section("log", [&](Section& log) { log_keys(log, client.log); });
}

std::string server_path(std::size_t index) { return "server.servers[" + std::to_string(index) + "]"; }

/// One entry an address: the first is kept.
void drop_duplicates(Report& report, std::vector<tunnel::ServerEntry>& servers) {
  std::vector<tunnel::ServerEntry> kept;
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (seen.insert(servers[i].address.text()).second) {
      kept.push_back(std::move(servers[i]));
    } else {
      report.warn(server_path(i) + ".address", "\"" + servers[i].address.text() + "\" is listed already: ignored");
    }
  }
  servers = std::move(kept);
}

void check_servers(Report& report, std::vector<tunnel::ServerEntry>& servers) {
  if (report.failed("server")) return;
  drop_duplicates(report, servers);
  const std::string expected = "1 to " + std::to_string(kServersMax) + " servers";
  if (servers.empty()) report.error("server.servers", "is required", expected);
  if (servers.size() > kServersMax) {
    report.error("server.servers", std::to_string(servers.size()) + " servers", expected);
  }
  for (tunnel::ServerEntry& server : servers) {
    if (server.server_name.empty()) server.server_name = server.address.host;
  }
}

void check_client(Report& report, ClientConfig& client) {
  check_servers(report, client.options.servers);
  check_windows(report, "quic", client.options.transport);
  check_udp(report, "udp", client.options.udp_options);
  if (client.auth.method == AuthMethod::mtls && !report.failed("auth.method")) {
    if (client.tls.client_cert_file.empty()) report.error("tls.client_cert_file", "is required with auth.method mtls");
    if (client.tls.client_key_file.empty()) report.error("tls.client_key_file", "is required with auth.method mtls");
  }
  check_token(report, client.auth.method, client.auth.token);
  check_health(report, client.options.health);
  client.workers = std::max(client.workers, std::uint32_t{1});
}

}  // namespace

std::vector<KeyInfo> client_keys() {
  ClientConfig defaults;
  return list_keys([&](Section& keys) { client_file_keys(keys, defaults); });
}

LoadResult<ClientConfig> parse_client_config(std::string_view yaml, std::string_view file) {
  ClientConfig client;
  Report report(file);
  const std::vector<KeyInfo> known = client_keys();
  read_document(
      yaml, report, known, kSecretKey, [&](Section& keys) { client_file_keys(keys, client); },
      [&](Report& found) { check_client(found, client); });
  return finish(report, std::move(client));
}

LoadResult<ClientConfig> load_client_config(const std::string& path) {
  auto content = read_config_file(path);
  if (!content) return std::unexpected(std::vector{std::move(content.error())});
  return parse_client_config(*content, path);
}

}  // namespace qmux::app

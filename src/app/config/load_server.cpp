// SPDX-License-Identifier: MIT
//
// The keys of a server's file and what must hold across them.
#include <set>

#include "app/config/common_keys.h"
#include "app/config/load.h"
#include "app/config/reading/load_file.h"

namespace qmux::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kListenersMax = 256;
constexpr std::uint32_t kVisitorsMax = 1U << 24U;
// In the Go example file these keys are in the listener itself.
constexpr std::string_view kOldUdpKeys[] = {"enable_fragmentation", "fragment_assembler_shards",
                                            "enable_buffer_pooling", "read_buffer_size", "datagram_buffer_size"};

void listener_keys(Section& keys, ListenerConfig& listener) {
  keys.address("quic_addr", listener.quic_addr, 0).required();
  keys.address("traffic_addr", listener.traffic_addr, 0).required();
  keys.choice("protocol", listener.options.protocol,
              {{"tcp", tunnel::VisitorProtocol::tcp},
               {"udp", tunnel::VisitorProtocol::udp},
               {"both", tunnel::VisitorProtocol::both}})
      .required();
  tunnel::VisitorLimits& visitors = listener.options.visitors;
  keys.number("max_visitors", visitors.visitors_max, 0, kVisitorsMax);
  keys.number("max_visitors_per_source", visitors.visitors_per_source_max, 0, kVisitorsMax);
  keys.duration("wait_for_client", listener.options.wait_for_client, 1ms, kDurationMax);
  keys.choice("handover", listener.options.handover,
              {{"safe", tunnel::Handover::safe}, {"eager", tunnel::Handover::eager}, {"off", tunnel::Handover::off}});
  quic_keys(keys, listener.options.transport);
  keys.section_or_inline("udp", kOldUdpKeys, [&](Section& udp) { udp_keys(udp, listener.options.udp_options); });
}

void auth_keys(Section& keys, ServerAuthConfig& auth) {
  auth_method_key(keys, auth.method);
  keys.file("ca_cert_file", auth.ca_cert_file);
  keys.secret("token", auth.token).no_effect_yet();
}

void tls_keys(Section& keys, ServerTlsConfig& tls) {
  keys.file("server_cert_file", tls.server_cert_file).required();
  keys.file("server_key_file", tls.server_key_file).required();
  keys.file("quic_secret_file", tls.quic_secret_file);
  keys.duration("session_ticket_encryption_key_rotation_interval", tls.ticket_key_rotation_interval, 1s, kDurationMax)
      .no_effect_yet();
  keys.number("session_ticket_encryption_key_rotation_overlap", tls.ticket_key_rotation_overlap, 1, 255)
      .no_effect_yet();
}

void server_file_keys(Section& keys, ServerConfig& server) {
  keys.list("listeners", server.listeners, listener_keys);
  keys.section("auth", [&](Section& auth) { auth_keys(auth, server.auth); });
  keys.section("tls", [&](Section& tls) { tls_keys(tls, server.tls); });
  keys.choice(
      "load_balancer", server.options.balance,
      {{"least-connections", tunnel::Balance::least_connections}, {"round-robin", tunnel::Balance::round_robin}});
  health_keys(keys, server.options.health);
  tcp_keepalive_key(keys, server.options.tcp_keep_alive);
  drain_timeout_key(keys, server.options.drain_timeout);
  keys.flag("watch_files", server.watch_files);
  keys.number("workers", server.workers, 0, kWorkersMax);
  keys.section("log", [&](Section& log) { log_keys(log, server.log); });
}

std::string listener_path(std::size_t index) { return "listeners[" + std::to_string(index) + "]"; }

/// QUIC and traffic may share an address only where one is UDP and the other TCP alone.
void check_addresses(Report& report, const std::vector<ListenerConfig>& listeners) {
  std::set<std::string> udp;
  std::set<std::string> tcp;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const ListenerConfig& listener = listeners[i];
    const auto claim = [&](std::string_view key, const HostPort& address, std::set<std::string>& taken) {
      const std::string path = listener_path(i) + "." + std::string(key);
      // Port 0 is another port each time.
      if (report.failed(path) || address.port == 0 || !report.given(path)) return;
      if (!taken.insert(address.text()).second) {
        report.error(path, "\"" + address.text() + "\" is taken by another listener", "an address of its own");
      }
    };
    claim("quic_addr", listener.quic_addr, udp);
    if (listener.options.protocol != tunnel::VisitorProtocol::udp) claim("traffic_addr", listener.traffic_addr, tcp);
    if (listener.options.protocol != tunnel::VisitorProtocol::tcp) claim("traffic_addr", listener.traffic_addr, udp);
  }
}

void check_server(Report& report, ServerConfig& server) {
  if (!report.failed("listeners")) {
    if (server.listeners.empty()) report.error("listeners", "is required", "at least one listener");
    if (server.listeners.size() > kListenersMax) {
      report.error("listeners", std::to_string(server.listeners.size()) + " listeners",
                   "at most " + std::to_string(kListenersMax));
    }
  }
  for (std::size_t i = 0; i < server.listeners.size(); ++i) {
    check_windows(report, listener_path(i), server.listeners[i].options.transport);
    check_udp(report, listener_path(i) + ".udp", server.listeners[i].options.udp_options);
  }
  check_addresses(report, server.listeners);
  if (server.auth.method == AuthMethod::mtls && server.auth.ca_cert_file.empty() && !report.failed("auth")) {
    report.error("auth.ca_cert_file", "is required with auth.method mtls");
  }
  check_token(report, server.auth.method, server.auth.token);
  check_health(report, server.options.health);
}

}  // namespace

std::vector<KeyInfo> server_keys() {
  ServerConfig defaults;
  return list_keys([&](Section& keys) { server_file_keys(keys, defaults); });
}

LoadResult<ServerConfig> parse_server_config(std::string_view yaml, std::string_view file) {
  ServerConfig server;
  Report report(file);
  const std::vector<KeyInfo> known = server_keys();
  read_document(
      yaml, report, known, kSecretKey, [&](Section& keys) { server_file_keys(keys, server); },
      [&](Report& found) { check_server(found, server); });
  return finish(report, std::move(server));
}

LoadResult<ServerConfig> load_server_config(const std::string& path) {
  auto content = read_config_file(path);
  if (!content) return std::unexpected(std::vector{std::move(content.error())});
  return parse_server_config(*content, path);
}

}  // namespace qmux::app

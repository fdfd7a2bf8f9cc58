// SPDX-License-Identifier: MIT
#include "app/demo/demo.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "app/certs/generate.h"
#include "app/demo/child_process.h"
#include "app/demo/http_service.h"
#include "app/demo/http_visitor.h"
#include "app/demo/one_processor.h"
#include "app/demo/sha256.h"
#include "app/files.h"
#include "app/version.h"
#include "base/address.h"
#include "base/check.h"

namespace qmux::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kFetchBytes = std::uint64_t{256} << 20U;
constexpr std::size_t kRoundTrips = 1000;
constexpr seconds kStartTimeout{10};

/// A directory of our own under the system's temporary one. It is removed with its content when its owner is destroyed.
class TemporaryDirectory {
 public:
  [[nodiscard]] Result<void> make() {
    std::error_code error;
    std::string pattern = std::filesystem::temp_directory_path(error).string() + "/qmux-demo.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      return fail("no temporary directory can be made there", pattern, "a directory that can be written to in TMPDIR");
    }
    path_ = pattern;
    return {};
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

std::string server_yaml(const std::string& certs) {
  return fmt::format(
      "listeners:\n  - quic_addr: \"127.0.0.1:0\"\n    traffic_addr: \"127.0.0.1:0\"\n    protocol: tcp\n"
      "auth:\n  method: mtls\n  ca_cert_file: {0}/ca.crt\n"
      "tls:\n  server_cert_file: {0}/server.crt\n  server_key_file: {0}/server.key\n",
      certs);
}

std::string client_yaml(const std::string& certs, const std::string& quic, std::uint16_t service_port) {
  return fmt::format(
      "server:\n  servers:\n    - address: \"{1}\"\n      server_name: qmux-server\n"
      "local:\n  host: 127.0.0.1\n  port: {2}\n"
      "tls:\n  ca_cert_file: {0}/ca.crt\n  client_cert_file: {0}/client.crt\n  client_key_file: {0}/client.key\n",
      certs, quic, service_port);
}

/// VALUE of "... key=VALUE ...".
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find(" " + key + "=");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size() + 2;
  return line.substr(begin, line.find_first_of(" \n", begin) - begin);
}

/// Fails when standard output is closed, which ends the demo.
Result<void> print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return {};
  return fail("cannot write to standard output");
}

template <typename... Args>
Result<void> say(const char* step, fmt::format_string<Args...> text, Args&&... args) {
  return print(fmt::format("  {:<14} {}\n", step, fmt::format(text, std::forward<Args>(args)...)));
}

/// Everything that runs; ends in the reverse order.
struct Show {
  TemporaryDirectory directory;
  std::optional<HttpService> service;
  std::optional<ChildProcess> server;
  std::optional<ChildProcess> client;
  Address direct;   ///< of the service
  Address traffic;  ///< where visitors go
};

Result<void> write_file(const std::string& path, const std::string& content) {
  const NewFile file{path, content, 0600};
  return write_files(std::span(&file, 1), Existing::keep);
}

Result<void> set_up(Show& show) {
  if (auto made = show.directory.make(); !made) return made;
  const std::string& path = show.directory.path();
  CertsOptions certs;
  certs.directory = path + "/certs";
  certs.server_names = {"localhost"};
  certs.years = 1;
  if (auto made = generate_certificates(certs, std::time(nullptr)); !made) return std::unexpected(made.error());
  auto said = say("certificates", "an authority, a server and a client (ECDSA P-256) in {}", certs.directory);
  if (!said) return said;

  const HttpService& service = show.service.emplace();
  const auto direct = Address::from_literal("127.0.0.1", service.port());
  CHECK(direct.has_value());
  show.direct = *direct;
  if (said = say("local service", "HTTP on {}", direct->text()); !said) return said;

  if (auto written = write_file(path + "/server.yaml", server_yaml(certs.directory)); !written) return written;
  show.server.emplace(std::vector<std::string>{"run", "server", "-c", path + "/server.yaml"});
  if (auto started = show.server->start(); !started) return started;
  const auto listening = show.server->wait_for_line("listener ready", kStartTimeout);
  if (!listening) return std::unexpected(listening.error());
  const std::string quic = field(*listening, "quic");
  const std::string traffic = field(*listening, "traffic");
  const auto address = Address::parse(traffic);
  if (!address) return fail("the server does not report its address", *listening);
  show.traffic = *address;
  if (said = say("server", "clients on {} (QUIC), visitors on {} (TCP)", quic, traffic); !said) return said;

  const auto begin = std::chrono::steady_clock::now();
  if (auto written = write_file(path + "/client.yaml", client_yaml(certs.directory, quic, service.port())); !written) {
    return written;
  }
  show.client.emplace(std::vector<std::string>{"run", "client", "-c", path + "/client.yaml"});
  if (auto started = show.client->start(); !started) return started;
  if (auto connected = show.client->wait_for_line("server connected", kStartTimeout); !connected) {
    return std::unexpected(connected.error());
  }
  return say("client",
             "connected and registered {} ms after its start: QUIC version 1, TLS 1.3, both certificates verified",
             std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin).count());
}

Seconds steady_clock() { return std::chrono::steady_clock::now().time_since_epoch(); }

Result<void> measure_fetch(const Show& show) {
  Sha256 hash;
  const auto taken = fetch(show.traffic, kFetchBytes, steady_clock, [&](auto part) { hash.add(part); });
  if (!taken) return std::unexpected(taken.error());
  const std::string sha256 = hash.hex();
  if (sha256 != expected_sha256(kFetchBytes)) return fail("the bytes received differ from the bytes sent");
  auto said =
      say("fetch", "{} MiB through the tunnel in {:.2f} s, {:.1f} Gbit/s: all of it on this machine, over loopback",
          kFetchBytes >> 20U, taken->count(), static_cast<double>(kFetchBytes) * 8e-9 / taken->count());
  if (said) said = say("", "SHA-256 {} as it should be,", sha256);
  if (said) said = say("", "computed while the clock was stopped");
  return said;
}

struct Latency {
  Seconds through{};  ///< the tunnel
  Seconds without{};

  [[nodiscard]] std::string text() const {
    return fmt::format("{:.0f} us for a small request through the tunnel, {:.0f} us without it: {:.0f} us added",
                       through.count() * 1e6, without.count() * 1e6, (through - without).count() * 1e6);
  }
};

Result<Latency> measure_latency(const Show& show) {
  const auto through = median_round_trip(show.traffic, kRoundTrips, steady_clock);
  const auto without = median_round_trip(show.direct, kRoundTrips, steady_clock);
  if (!through || !without) return std::unexpected((!through ? through : without).error());
  return Latency{.through = *through, .without = *without};
}

Result<void> measure_latencies(const Show& show) {
  const auto placed = measure_latency(show);
  if (!placed) return std::unexpected(placed.error());
  auto said = say("latency", "{} (medians of {})", placed->text(), kRoundTrips);
  if (said)
    said = say("", "The tunnel's round trip wakes a process six times (server, client and service there, and back),");
  if (said)
    said = say("", "the other one twice; where that is a processor that sleeps, waking it takes most of the time.");
  if (!show.server || !show.client) return said;
  const OneProcessor one({show.server->pid(), show.client->pid()});
  if (!said || !one.holds()) return said;
  const auto together = measure_latency(show);
  if (!together) return std::unexpected(together.error());
  said = say("on one CPU", "{}", together->text());
  if (said)
    said =
        say("", "Everything on one processor, as in README's table: what the programs take where nothing else runs.");
  return said;
}

/// The signals that end a demo. Not SIGHUP where it was ignored at the start: then a terminal's end is not ours (nohup).
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  struct sigaction hang_up{};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

void wait_for_signal() {
  const sigset_t signals = ending_signals();
  int caught = 0;
  sigwait(&signals, &caught);
}

/// Signals stay blocked until the demo waits for them, so that none leaves files behind. Every thread inherits this. The demo
/// notices a closed standard output when it prints.
void block_signals() {
  const sigset_t signals = ending_signals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Result<void> show_tunnel(bool keep) {
  auto shown = print(fmt::format("QMux {} shows a tunnel, on this machine alone:\n\n", version()));
  if (!shown) return shown;
  Show show;
  shown = set_up(show);
  if (shown) shown = measure_fetch(show);
  if (shown) shown = measure_latencies(show);
  if (!shown || !keep) return shown;
  shown = print(fmt::format("\nTry it:\n\n  curl http://{}/\n\nCtrl-C ends it.\n", show.traffic.text()));
  if (shown) wait_for_signal();
  return shown;
}

}  // namespace

int demo(bool keep) {
  block_signals();
  Result<void> shown;
  try {
    shown = show_tunnel(keep);
  } catch (const std::system_error& error) {
    shown = fail(error.what());
  }
  if (shown) shown = print("\nDone; nothing is left behind.\n");
  if (shown) return 0;
  // main() reports a standard output that cannot be written, for every command.
  if (std::ferror(stdout) == 0) fmt::print(stderr, "\nqmux: the demo failed: {}\n", shown.error().text());
  return 1;
}

}  // namespace qmux::app

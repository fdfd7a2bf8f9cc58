// SPDX-License-Identifier: MIT
#include "app/run/run_server.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/run/connection_advice.h"
#include "app/run/logging.h"
#include "app/run/port_reservations.h"
#include "app/run/reload.h"
#include "app/run/run_inputs.h"
#include "app/run/secret_file.h"
#include "app/run/worker_loops.h"
#include "base/log.h"
#include "net/os_random.h"
#include "net/process.h"
#include "tunnel/server/server.h"

namespace qmux::app {
namespace {

/// How many visitors by TCP there are descriptors for, besides those that the process itself needs.
std::size_t visitors_max(std::size_t descriptors, std::size_t workers, std::size_t listeners) {
  if (descriptors == 0) return std::numeric_limits<std::size_t>::max();  // not known
  const std::size_t own = 32 + workers * (8 + 4 * listeners);
  return std::max(descriptors - std::min(own, descriptors), descriptors / 2);
}

/// The one input that is made when it is missing.
Result<void> make_secret(const ServerConfig& config) {
  if (config.tls.quic_secret_file.empty()) return {};
  net::OsRandom random;
  return make_secret_file(config.tls.quic_secret_file, random);
}

/// A server that runs, with what it is made of.
class RunningServer {
 public:
  RunningServer(Loaded<ServerConfig> loaded, ReadConfig<ServerConfig> read, std::size_t descriptors, WorkerLoops& loops)
      : loaded_(std::move(loaded)),
        descriptors_(descriptors),
        loops_(loops),
        workers_(loops.interfaces().size()),
        advice_(loaded_.config),
        reload_(loops, read_again<ServerConfig>(std::move(read), [this](auto loaded_again, const RunInputs& inputs) {
                  return apply(std::move(loaded_again), inputs);
                })) {}

  [[nodiscard]] Result<void> run(const RunInputs& inputs) {
    auto wanted = to_options(loaded_.config, inputs);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    log_dates(inputs);
    tunnel::Server server(std::move(wanted->options), loops_.interfaces(), [this] { loops_.stop(); });
    if (auto started = server.start(); !started) return started;
    server_ = &server;
    addresses_ = std::move(wanted->addresses);
    watch_files();
    return reload_.run([&] { server.stop(); });
  }

 private:
  /// The addresses that a listener's keys stand for, with their actual ports. They stay the same as long as its keys do.
  struct KnownAddresses {
    std::string quic;
    std::string traffic;
    Address quic_address;
    Address traffic_address;
  };
  /// What a configuration stands for.
  struct Wanted {
    tunnel::ServerOptions options;
    std::vector<KnownAddresses> addresses;  ///< of its listeners
  };

  Result<void> apply(Loaded<ServerConfig> loaded, const RunInputs& inputs) {
    auto wanted = to_options(loaded.config, inputs);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    const auto done = server_->reload(std::move(wanted->options));
    if (!done) return std::unexpected(done.error());
    log_remarks(loaded.warnings, loaded.notices);
    log_dates(inputs);
    log_if_kept("workers", loaded_.config.workers != loaded.config.workers);
    log_if_kept("tls.quic_secret_file", loaded_.config.tls.quic_secret_file != loaded.config.tls.quic_secret_file);
    loaded_ = std::move(loaded);  // also what the advice refers to
    change_log(loaded_.config.log);
    addresses_ = std::move(wanted->addresses);
    watch_files();
    log::info("listeners", {{"added", done->added}, {"moved", done->moved}, {"removed", done->removed}});
    return {};
  }

  Result<Wanted> to_options(const ServerConfig& config, const RunInputs& inputs) {
    Wanted wanted{.options = config.options, .addresses = {}};
    tunnel::ServerOptions& options = wanted.options;
    options.credentials = inputs.credentials;
    options.advice = &advice_;
    options.visitors_max = visitors_max(descriptors_, workers_, config.listeners.size());
    std::vector<KnownAddresses> known = addresses_;
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
      auto added = add_listener(wanted, config.listeners[i], inputs.listeners[i], known);
      if (!added) return std::unexpected(std::move(added.error()));
    }
    return wanted;
  }

  /// `known`: of the listeners that run, each once. What a key stands for is used again.
  Result<void> add_listener(Wanted& wanted, const ListenerConfig& listener, const ListenAddresses& looked_up,
                            std::vector<KnownAddresses>& known) {
    KnownAddresses addresses{.quic = listener.quic_addr.text(),
                             .traffic = listener.traffic_addr.text(),
                             .quic_address = looked_up.quic,
                             .traffic_address = looked_up.traffic};
    if (const auto found = std::ranges::find(known, addresses.quic, &KnownAddresses::quic); found != known.end()) {
      addresses.quic_address = found->quic_address;
      if (found->traffic == addresses.traffic) addresses.traffic_address = found->traffic_address;
      known.erase(found);
    }
    auto quic = reservations_.take_quic(addresses.quic_address);
    if (!quic) return std::unexpected(std::move(quic.error()));
    auto traffic = reservations_.take(listener.options.protocol, addresses.traffic_address);
    if (!traffic) return std::unexpected(std::move(traffic.error()));
    tunnel::ListenerOptions& options = wanted.options.listeners.emplace_back(listener.options);
    options.quic_address = addresses.quic_address = quic->address;
    options.quic_hold = std::move(quic->hold);
    options.traffic_address = addresses.traffic_address = traffic->address;
    options.traffic_hold = std::move(traffic->hold);
    wanted.addresses.push_back(std::move(addresses));
    return {};
  }

  void watch_files() {
    const ServerConfig& config = loaded_.config;
    reload_.watch(config.watch_files ? std::vector{loaded_.file, config.tls.server_cert_file,
                                                   config.tls.server_key_file, config.auth.ca_cert_file}
                                     : std::vector<std::string>());
  }

  Loaded<ServerConfig> loaded_;
  const std::size_t descriptors_;
  WorkerLoops& loops_;
  const std::size_t workers_;
  const ServerConnectionAdvice advice_;
  PortReservations reservations_;
  std::vector<KnownAddresses> addresses_;  ///< of the listeners that run
  tunnel::Server* server_ = nullptr;       ///< while it runs
  Reload reload_;
};

}  // namespace

int run_server(const Loaded<ServerConfig>& loaded, const ReadConfig<ServerConfig>& read) {
  net::take_over_signals();
  const std::size_t descriptors = net::raise_descriptor_limit();
  configure_log(loaded.config.log);
  log_remarks(loaded.warnings, loaded.notices);
  const auto made = make_secret(loaded.config);
  const auto inputs = gather_inputs(loaded, std::time(nullptr));
  if (!inputs) return cannot_run("server", inputs.error());  // also reports why the secret could not be made
  if (!made) return cannot_run("server", {made.error()});
  const std::uint32_t configured = loaded.config.workers;
  auto loops = WorkerLoops::make(configured != 0 ? configured : std::max(1U, std::thread::hardware_concurrency()));
  if (!loops) return cannot_run("server", {loops.error()});
  RunningServer server(loaded, read, descriptors, *loops);
  if (auto served = server.run(*inputs); !served) return cannot_run("server", {served.error()});
  log::info("stopped");
  log::flush();
  return 0;
}

}  // namespace qmux::app

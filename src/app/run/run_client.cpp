// SPDX-License-Identifier: MIT
#include "app/run/run_client.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include "app/config/client_id.h"
#include "app/run/connection_advice.h"
#include "app/run/logging.h"
#include "app/run/reload.h"
#include "app/run/run_inputs.h"
#include "app/run/worker_loops.h"
#include "base/log.h"
#include "net/process.h"
#include "quic/credentials.h"
#include "tunnel/client/client.h"
#include "tunnel/limits.h"

namespace qmux::app {
namespace {

/// How many UDP sessions each server's connection may have. Each takes a socket, and half of the descriptors is kept for TCP.
std::size_t udp_sessions_max(const std::vector<tunnel::ServerEntry>& servers, std::size_t descriptors) {
  std::size_t connections = 0;
  for (const tunnel::ServerEntry& each : servers) connections += each.all_addresses ? limits::kAddressesPerNameMax : 1;
  return std::clamp<std::size_t>(descriptors / 2 / connections, 1, limits::kUdpSessionsPerConnectionMax);
}

/// A client that runs, with what it is made of.
class RunningClient {
 public:
  RunningClient(Loaded<ClientConfig> loaded, ReadConfig<ClientConfig> read, std::size_t descriptors, WorkerLoops& loops)
      : loaded_(std::move(loaded)),
        descriptors_(descriptors),
        loops_(loops),
        own_client_id_(random_client_id(loops.first().random())),
        advice_(loaded_.config),
        reload_(loops, read_again<ClientConfig>(std::move(read), [this](auto loaded_again, const RunInputs& inputs) {
                  return apply(std::move(loaded_again), inputs);
                })) {}

  [[nodiscard]] Result<void> run(const RunInputs& inputs) {
    log_dates(inputs);
    tunnel::Client client(to_options(loaded_.config, inputs), loops_.interfaces(), [this] { loops_.stop(); });
    client_ = &client;
    watch_files();
    loops_.watch_sleep([&client](std::size_t worker, Duration asleep) { client.machine_woke(worker, asleep); });
    client.start();
    return reload_.run([&] { client.stop(); });
  }

 private:
  Result<void> apply(Loaded<ClientConfig> loaded, const RunInputs& inputs) {
    log_remarks(loaded.warnings, loaded.notices);
    log_dates(inputs);
    log_if_kept("workers", loaded_.config.workers != loaded.config.workers);
    loaded_ = std::move(loaded);  // also what the advice refers to
    client_->reload(to_options(loaded_.config, inputs));
    change_log(loaded_.config.log);
    watch_files();
    return {};
  }

  [[nodiscard]] tunnel::ClientOptions to_options(const ClientConfig& config, const RunInputs& inputs) const {
    tunnel::ClientOptions options = config.options;
    if (options.client_id.empty()) options.client_id = own_client_id_;
    options.credentials = inputs.credentials;
    options.advice = &advice_;
    options.udp_options.sessions_max = udp_sessions_max(options.servers, descriptors_);
    return options;
  }

  void watch_files() {
    const ClientConfig& config = loaded_.config;
    reload_.watch(config.watch_files ? std::vector{loaded_.file, config.tls.ca_cert_file, config.tls.client_cert_file,
                                                   config.tls.client_key_file}
                                     : std::vector<std::string>());
  }

  Loaded<ClientConfig> loaded_;
  const std::size_t descriptors_;
  WorkerLoops& loops_;
  const std::string own_client_id_;  ///< while the file names none
  const ClientConnectionAdvice advice_;
  tunnel::Client* client_ = nullptr;  ///< while it runs
  Reload reload_;
};

}  // namespace

int run_client(const Loaded<ClientConfig>& loaded, const ReadConfig<ClientConfig>& read) {
  net::take_over_signals();
  const std::size_t descriptors = net::raise_descriptor_limit();
  configure_log(loaded.config.log);
  log_remarks(loaded.warnings, loaded.notices);
  const auto inputs = gather_inputs(loaded, std::time(nullptr));
  if (!inputs) return cannot_run("client", inputs.error());
  auto loops = WorkerLoops::make(loaded.config.workers);
  if (!loops) return cannot_run("client", {loops.error()});
  RunningClient client(loaded, read, descriptors, *loops);
  if (auto served = client.run(*inputs); !served) return cannot_run("client", {served.error()});
  log::info("stopped");
  log::flush();
  return 0;
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/run/run_client.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include "app/config/client_id.h"
#include "app/run/connection_advice.h"
#include "app/run/logging.h"
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
std::size_t udp_sessions_max(std::size_t servers, std::size_t descriptors) {
  return std::clamp<std::size_t>(descriptors / 2 / servers, 1, limits::kUdpSessionsPerConnectionMax);
}

tunnel::ClientOptions to_options(const ClientConfig& config, std::shared_ptr<const quic::Credentials> credentials,
                                 const tunnel::ClientAdvice& advice, std::size_t descriptors, Random& random) {
  tunnel::ClientOptions options = config.options;
  if (options.client_id.empty()) options.client_id = random_client_id(random);
  options.credentials = std::move(credentials);
  options.advice = &advice;
  options.udp_options.sessions_max = udp_sessions_max(options.servers.size(), descriptors);
  return options;
}

Result<void> serve(const ClientConfig& config, const RunInputs& inputs, std::size_t descriptors) {
  auto loops = WorkerLoops::make(config.workers);
  if (!loops) return std::unexpected(std::move(loops.error()));
  log_dates(inputs);

  const ClientConnectionAdvice advice(config);
  tunnel::ClientOptions options =
      to_options(config, inputs.credentials, advice, descriptors, loops->interfaces().front()->random());
  tunnel::Client client(std::move(options), loops->interfaces(), [&] { loops->stop(); });
  loops->watch_sleep([&client](std::size_t worker, Duration asleep) { client.machine_woke(worker, asleep); });
  client.start();
  return loops->run([&] { client.stop(); },
                    [] { log::info("SIGHUP ignored: the configuration is not reloaded while running"); });
}

}  // namespace

int run_client(const Loaded<ClientConfig>& loaded, const ReadConfig<ClientConfig>& /*read*/) {
  net::take_over_signals();
  const std::size_t descriptors = net::raise_descriptor_limit();
  configure_log(loaded.config.log);
  log_remarks(loaded.warnings, loaded.notices);
  const auto inputs = gather_inputs(loaded, std::time(nullptr));
  if (!inputs) return cannot_run("client", inputs.error());
  if (auto served = serve(loaded.config, *inputs, descriptors); !served) {
    return cannot_run("client", {served.error()});
  }
  log::info("stopped");
  log::flush();
  return 0;
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// Logs "client ready" once, when the first server has accepted the client.
//
// One a client, shared by its workers; any thread.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/log.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

class ReadyNotice {
 public:
  /// `options` outlives it.
  ReadyNotice(const ClientOptions& options, std::size_t workers) noexcept : options_(options), workers_(workers) {}
  ReadyNotice(const ReadyNotice&) = delete;
  ReadyNotice& operator=(const ReadyNotice&) = delete;
  ~ReadyNotice() = default;

  void server_accepted() {
    if (said_.exchange(true, std::memory_order_relaxed)) return;
    log::info("client ready", {{"client_id", options_.client_id},
                               {"service", options_.local_service.address.text()},
                               {"servers", options_.servers.size()},
                               {"workers", workers_}});
  }

 private:
  const ClientOptions& options_;
  const std::size_t workers_;
  std::atomic<bool> said_{false};
};

}  // namespace qmux::tunnel

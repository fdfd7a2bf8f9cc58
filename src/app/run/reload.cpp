// SPDX-License-Identifier: MIT
#include "app/run/reload.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/log.h"

namespace qmux::app {
namespace {

constexpr std::chrono::seconds kLookInterval{1};

void log_refusal(const std::vector<Error>& causes) {
  for (const Error& cause : causes) {
    log::error("configuration not reloaded; nothing has changed", {{"cause", cause.text()}});
  }
}

}  // namespace

Reload::Reload(WorkerLoops& loops, PrepareReload prepare)
    : loops_(loops), prepare_(std::move(prepare)), look_(loops.first().timers(), [this] { look_at_files(); }) {}

Result<void> Reload::run(std::move_only_function<void()> stop_wanted) {
  return loops_.run(
      [&] {
        look_.cancel();
        under_way_.reset();
        stop_wanted();
      },
      [this] { begin("SIGHUP"); });
}

void Reload::watch(std::vector<std::string> files) {
  look_.cancel();
  if (files.empty()) return;
  files_.watch(std::move(files));
  look_.set(loops_.first().now() + kLookInterval);
}

void Reload::look_at_files() {
  look_.set(loops_.first().now() + kLookInterval);
  if (!under_way_ && files_.have_changed()) begin("changed files");
}

void Reload::begin(std::string_view why) {
  log::info("reloading", {{"cause", why}});
  if (under_way_) {
    again_ = true;
    return;
  }
  files_.read_now();
  under_way_ = std::make_unique<net::Background<PreparedReload>>(loops_.first().reactor());
  auto begun = under_way_->begin(prepare_, [this](PreparedReload result) { prepared(std::move(result)); });
  if (begun) return;
  under_way_.reset();
  log_refusal({begun.error()});
}

void Reload::prepared(PreparedReload prepared) {
  under_way_.reset();
  if (prepared) {
    Result<void> applied;
    loops_.exclusively([&] { applied = (*prepared)(); });
    if (applied) {
      log::info("configuration reloaded");
    } else {
      log_refusal({applied.error()});
    }
  } else {
    log_refusal(prepared.error());
  }
  if (std::exchange(again_, false)) begin("a further request");
}

}  // namespace qmux::app

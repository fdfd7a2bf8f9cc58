// SPDX-License-Identifier: MIT
#include "app/run/logging.h"

#include <fmt/core.h>

namespace qmux::app {
void configure_log(const LogConfig& config) {
  log::write_in_background();
  change_log(config);
}

void change_log(const LogConfig& config) { log::configure(config.level, config.format); }

void log_if_kept(std::string_view key, bool changed) {
  if (changed) log::warn("takes effect after a restart", {{"key", key}});
}

void log_remarks(const std::vector<std::string>& warnings, const std::vector<std::string>& notices) {
  for (const std::string& warning : warnings) log::warn("configuration", {{"remark", warning}});
  for (const std::string& notice : notices) log::debug("configuration", {{"remark", notice}});
}

int cannot_run(std::string_view which, const std::vector<Error>& causes) {
  constexpr int kFailed = 1;
  for (const Error& cause : causes) log::error(fmt::format("the {} cannot run", which), {{"cause", cause.text()}});
  log::flush();
  return kFailed;
}

void log_dates(const RunInputs& inputs) {
  if (!inputs.dates) return;
  log::warn(inputs.dates->event, {{"file", inputs.certificate_file}, {"date", inputs.dates->date}});
}

}  // namespace qmux::app

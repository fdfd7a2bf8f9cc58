// SPDX-License-Identifier: MIT
#include "app/logging.h"

#include "base/log.h"

namespace qmux::app {
namespace {

log::Level to_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return log::Level::debug;
    case LogLevel::info:
      return log::Level::info;
    case LogLevel::warn:
      return log::Level::warn;
    case LogLevel::error:
      return log::Level::error;
  }
  return log::Level::info;
}

}  // namespace

void configure_log(const LogConfig& config) {
  log::write_in_background();
  log::configure(to_level(config.level), config.format == LogFormat::json ? log::Format::json : log::Format::text);
}

void log_remarks(const std::vector<std::string>& warnings, const std::vector<std::string>& notices) {
  for (const std::string& warning : warnings) log::warn("configuration", {{"remark", warning}});
  for (const std::string& notice : notices) log::debug("configuration", {{"remark", notice}});
}

}  // namespace qmux::app

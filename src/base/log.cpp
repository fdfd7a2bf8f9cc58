// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/limits.h"
#include "base/printable.h"

namespace qmux::log {
namespace {

std::atomic<Level> least_level{Level::info};
std::atomic<Format> line_format{Format::text};

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("qmux", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);  // `least_level` decides
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

constexpr spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

/// As inside the quotes of a JSON string (RFC 8259 section 7); text lines use the same rules.
void append_escaped(std::string& out, std::string_view value) { append_printable(out, value, "\"\\"); }

bool needs_quotes(std::string_view value) {
  return value.empty() || std::ranges::any_of(value, [](char c) {
           return c == '"' || c == '\\' || c == '=' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
                  c == '\xc2';  // control characters beyond ASCII begin with it
         });
}

void append_text(std::string& line, std::string_view event, std::span<const Field> fields) {
  append_escaped(line, event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key();
    line += '=';
    if (needs_quotes(field.value())) {
      line += '"';
      append_escaped(line, field.value());
      line += '"';
    } else {
      line += field.value();
    }
  }
}

void append_json(std::string& line, std::string_view event, std::span<const Field> fields) {
  line += "\"event\":\"";
  append_escaped(line, event);
  line += '"';
  for (const Field& field : fields) {
    const std::string_view quote = field.bare() ? "" : "\"";
    line += ",\"";
    line += field.key();
    line += "\":";
    line += quote;
    append_escaped(line, field.value());
    line += quote;
  }
}

}  // namespace

Field::Field(std::string_view key, std::string_view value)
    : key_(key), value_(value.substr(0, limits::kLogValueMaxBytes)) {
  if (value.size() <= limits::kLogValueMaxBytes) return;
  // Not in the middle of a character of UTF-8 (RFC 3629).
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(value[at]) & 0xc0U) == 0x80U; };
  while (!value_.empty() && continues(value_.size())) value_.pop_back();
  value_ += "... (" + std::to_string(value.size()) + " bytes)";
}

void configure(Level least, Format format) {
  least_level.store(least, std::memory_order_relaxed);
  line_format.store(format, std::memory_order_relaxed);
  logger().set_pattern(
      format == Format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
      spdlog::pattern_time_type::utc);
}

bool enabled(Level level) noexcept { return level >= least_level.load(std::memory_order_relaxed); }

std::string format_event(Format format, std::string_view event, std::span<const Field> fields) {
  std::string line;
  if (format == Format::json) {
    append_json(line, event, fields);
  } else {
    append_text(line, event, fields);
  }
  return line;
}

void write(Level level, std::string_view event, std::span<const Field> fields) {
  if (level == Level::off || !enabled(level)) return;
  const Format format = line_format.load(std::memory_order_relaxed);
  // The overload that takes a finished text: nothing in it is read as a format.
  logger().log(to_spdlog(level), spdlog::string_view_t(format_event(format, event, fields)));
}

}  // namespace qmux::log

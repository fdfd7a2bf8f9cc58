// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/check.h"
#include "base/limits.h"
#include "base/line_writer.h"
#include "base/printable.h"

namespace qmux::log {
namespace {

std::atomic<Level> least_level{Level::info};
std::atomic<Format> line_format{Format::text};

const char* pattern_of(Format format) noexcept {
  return format == Format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("qmux", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);  // `least_level` decides
    made->set_pattern(pattern_of(Format::text), spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

/// A whole line, as the logger would write it.
class BackgroundSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit BackgroundSink(LineWriter& writer) : writer_(writer) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_.write({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  LineWriter& writer_;
};

LineWriter* background = nullptr;

/// Not through the logger, which is in use when it is needed.
std::string dropped_line(std::uint64_t count) {
  const Format format = line_format.load(std::memory_order_relaxed);
  const std::string event = format_event(format, "log lines dropped", std::array{Field("count", count)});
  const spdlog::details::log_msg message({}, {}, spdlog::level::warn, event);
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(pattern_of(format), spdlog::pattern_time_type::utc).format(message, line);
  return {line.data(), line.size()};
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

/// Escapes as inside the quotes of a JSON string (RFC 8259 section 7). Text lines use the same rules.
void append_escaped(std::string& out, std::string_view value) { append_printable(out, value, "\"\\"); }

bool needs_quotes(std::string_view value) {
  return value.empty() || std::ranges::any_of(value, [](char c) {
           return c == '"' || c == '\\' || c == '=' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
                  c == '\xc2';  // control characters beyond ASCII begin with this byte
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
    : key_(key), value_(value.substr(0, limits::kLogValueBytesMax)) {
  if (value.size() <= limits::kLogValueBytesMax) return;
  // Do not cut inside a UTF-8 character (RFC 3629).
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(value[at]) & 0xc0U) == 0x80U; };
  while (!value_.empty() && continues(value_.size())) value_.pop_back();
  value_ += "... (" + std::to_string(value.size()) + " bytes)";
}

void configure(Level least, Format format) {
  least_level.store(least, std::memory_order_relaxed);
  line_format.store(format, std::memory_order_relaxed);
  logger().set_pattern(pattern_of(format), spdlog::pattern_time_type::utc);
}

void write_in_background() {
  if (background != nullptr) return;
  background = &LineWriter::start(STDERR_FILENO, limits::kLogWaitingBytesMax, dropped_line);
  logger().sinks() = {std::make_shared<BackgroundSink>(*background)};
  logger().set_pattern(pattern_of(line_format.load(std::memory_order_relaxed)), spdlog::pattern_time_type::utc);
}

void flush() {
  if (background != nullptr) background->flush(std::chrono::seconds(1));
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
  // This overload takes a finished text and does not read it as a format.
  logger().log(to_spdlog(level), spdlog::string_view_t(format_event(format, event, fields)));
}

}  // namespace qmux::log

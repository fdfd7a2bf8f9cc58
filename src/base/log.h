// SPDX-License-Identifier: MIT
//
// The program's log: one line for each event, followed by named fields.
//
//   log::info("client registered", {{"client_id", id}, {"remote", address.text()}});
//   2026-01-31T12:00:00.000Z info client registered client_id=a remote=192.0.2.1:4433
//
// Any thread. A value may come from a peer: it is escaped, so that it can neither forge a line nor control a terminal. A secret
// cannot be logged (base/secret.h has no text). Lines go to standard error.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace qmux::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };
enum class Format : std::uint8_t { text, json };

class Field {
 public:
  /// A value over limits::kLogValueBytesMax is cut and marked as cut.
  Field(std::string_view key, std::string_view value);
  Field(std::string_view key, const char* value) : Field(key, std::string_view(value)) {}
  template <std::integral Number>
  Field(std::string_view key, Number value) : key_(key), bare_(true) {
    if constexpr (std::same_as<Number, bool>) {
      value_ = value ? "true" : "false";
    } else {
      value_ = std::to_string(value);
    }
  }

  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] std::string_view value() const noexcept { return value_; }
  /// A number or a truth value: JSON writes it without quotes.
  [[nodiscard]] bool bare() const noexcept { return bare_; }

 private:
  std::string_view key_;
  std::string value_;
  bool bare_ = false;
};

using Fields = std::initializer_list<Field>;

/// Call it before other threads start. The defaults are `info` and `text`.
void configure(Level least, Format format);
/// From now on a thread of its own writes the lines (base/line_writer.h). Call it once a process, after blocking the signals that
/// the new thread must not take.
void write_in_background();
/// Waits until all lines are written, for a second at most. Call it before the process ends.
void flush();
/// Whether a line of this level would be written. Check it first where the fields are expensive to make.
[[nodiscard]] bool enabled(Level level) noexcept;

void write(Level level, std::string_view event, std::span<const Field> fields);
inline void write(Level level, std::string_view event, Fields fields) {
  write(level, event, std::span(fields.begin(), fields.size()));
}
inline void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }

/// Event and fields as they stand in a line: "client registered client_id=a", or the inside of a JSON object.
[[nodiscard]] std::string format_event(Format format, std::string_view event, std::span<const Field> fields);

}  // namespace qmux::log

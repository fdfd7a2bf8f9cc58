// SPDX-License-Identifier: MIT
//
// The value types of a configuration: the syntax of each, and the errors for a wrong value.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "app/config/reading/duration.h"
#include "app/config/reading/nearest.h"
#include "app/config/reading/section.h"

namespace qmux::app {
namespace {

constexpr std::size_t kFilePathBytesMax = 4096;
constexpr std::size_t kHostBytesMax = 253;  // RFC 1035 section 2.3.4, as text
constexpr std::size_t kSecretBytesMax = 4096;

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string shown = "\"";
  shown.append(text.substr(0, kShown));
  return shown.append(text.size() > kShown ? "...\"" : "\"");
}

/// Whole numbers as YAML writes them: 1200, 1_200, +5, 0x4b0, 0o17, 0b11.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '_'; });
  std::string_view rest = digits;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  for (const auto& [prefix, its_base] : {std::pair("0x", 16), std::pair("0o", 8), std::pair("0b", 2)}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(2);
    base = its_base;
  }
  // Some readers read 010 as eight, others as ten.
  if (base == 10 && rest.size() > 1 && rest.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (error != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_flag(std::string_view text) {
  for (const auto word : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"}) {
    if (text == word) return true;
  }
  for (const auto word : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

/// Bytes beyond ASCII may be a name that the resolver knows. From other characters it might make up an address, as it does from
/// "*".
bool is_host_name(std::string_view text) {
  return text.size() <= kHostBytesMax && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_' || static_cast<unsigned char>(c) >= 0x80;
         });
}

bool is_ip(std::string_view text) { return Address::from_literal(text, 0).has_value(); }

bool lacks_interface(std::string_view text) {
  const auto address = Address::from_literal(text, 0);
  return address && address->lacks_interface();
}

constexpr std::string_view kNeedsInterface = " is link-local and names no interface";

std::string host_form() {
  return "up to " + std::to_string(kHostBytesMax) + R"( letters, digits, ".", "_" and "-", or an IP address)";
}

std::string at_most(std::size_t bytes) { return "at most " + std::to_string(bytes) + " bytes"; }

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

std::string range_text(std::uint64_t min, std::uint64_t max) {
  return std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace

/// One key looked up: its scalar when it has one.
struct Section::Found {
  std::string path;
  std::string type;
  const YamlNode* value = nullptr;  // a scalar that is not empty; nullptr: keep the default
  bool empty = true;
  bool misfit = false;  // a list, a map, or several lines for one: an error is due, and `kind` says which
  YamlNode::Kind kind = YamlNode::Kind::null;
};

Section::Found Section::find(std::string_view name, std::string type, std::string default_value) {
  Found found{.path = path_of(name), .type = std::move(type)};
  if (context_.list != nullptr) {
    context_.list->push_back({.path = found.path, .type = found.type, .default_value = std::move(default_value)});
    return found;
  }
  const YamlEntry* given = entry(name);
  if (given == nullptr) return found;
  found.kind = given->value.kind;
  if (found.kind == YamlNode::Kind::null) return found;
  const bool takes_in_more = !given->value.quoted && context_.secrecy->takes_in_secret(given->value.text);
  if (found.kind != YamlNode::Kind::scalar || takes_in_more) {
    found.empty = false;
    found.misfit = true;
    return found;
  }
  found.empty = given->value.text.empty();
  if (!found.empty) found.value = &given->value;
  return found;
}

Section::Key Section::wrong(const Found& found, std::string what, std::string expected) {
  if (found.misfit && found.kind == YamlNode::Kind::list) what = "is a list";
  if (found.misfit && found.kind == YamlNode::Kind::map) what = "is a map of keys";
  if (found.misfit && found.kind == YamlNode::Kind::scalar)
    what = "includes the " + std::string(context_.secrecy->secret_key()) + "'s line, which is indented too far";
  context_.report->error(found.path, std::move(what), std::move(expected));
  return {*this, found.path, found.empty, false};
}

/// The same for texts that repeat the value, or may: they are left out when the value may be a secret.
Section::Key Section::wrong_value(const Found& found, std::string what, std::string expected) {
  if (!context_.secrecy->hides(found.value->text)) return wrong(found, std::move(what), std::move(expected));
  return wrong(found, "is wrong; its value is not shown as it may hold a secret", found.type);
}

Section::Key Section::text(std::string_view name, std::string& into, std::size_t bytes_max) {
  const Found found = find(name, "text", into);
  const std::string expected = "a text of " + at_most(bytes_max);
  if (found.misfit) return wrong(found, {}, expected);
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  const std::string& given = found.value->text;
  if (given.size() > bytes_max) return wrong(found, "has " + std::to_string(given.size()) + " bytes", expected);
  if (has_control_characters(given)) return wrong(found, "holds control characters", expected + " without them");
  const bool changed = given != into;
  into = given;
  return {*this, found.path, found.empty, changed};
}

Section::Key Section::file(std::string_view name, std::string& into) {
  const Found found = find(name, "file", into);
  if (found.misfit) return wrong(found, {}, "a file name");
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  if (found.value->text.size() > kFilePathBytesMax || found.value->text.contains('\0')) {
    return wrong(found, "is not a file name", at_most(kFilePathBytesMax) + ", none of them NUL");
  }
  into = found.value->text;
  return {*this, found.path, found.empty, true};
}

Section::Key Section::secret(std::string_view name, Secret& into) {
  const Found found = find(name, "secret", {});
  if (found.misfit) return wrong(found, {}, "a text");
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  // Whatever is wrong with it, its text is never repeated.
  if (found.value->text.size() > kSecretBytesMax) return wrong(found, "is too long", at_most(kSecretBytesMax));
  into = Secret(found.value->text);
  return {*this, found.path, found.empty, true};
}

Section::Key Section::flag(std::string_view name, bool& into) {
  const Found found = find(name, "true or false", into ? "true" : "false");
  if (found.misfit) return wrong(found, {}, "true or false");
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  const auto value = found.value->quoted ? std::nullopt : parse_flag(found.value->text);
  if (!value)
    return wrong_value(found, in_quotes(found.value->text) + " is not a truth value", "true or false, without quotes");
  const bool changed = *value != into;
  into = *value;
  return {*this, found.path, found.empty, changed};
}

Section::Key Section::number_u64(std::string_view name, std::uint64_t& into, std::uint64_t min, std::uint64_t max) {
  const std::string range = range_text(min, max);
  const Found found = find(name, range, std::to_string(into));
  const std::string expected = "a whole number from " + range;
  if (found.misfit) return wrong(found, {}, expected);
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  const std::string& given = found.value->text;
  if (found.value->quoted)
    return wrong_value(found, "the text " + in_quotes(given) + " is not a number", expected + ", without quotes");
  const auto value = parse_number(given);
  if (!value) return wrong_value(found, in_quotes(given) + " is not a whole number", expected);
  if (*value == 0 && min > 0 && into > 0) return {*this, found.path, found.empty, false};
  if (*value < min || *value > max) return wrong_value(found, given + " is out of range", expected);
  const bool changed = *value != into;
  into = *value;
  return {*this, found.path, found.empty, changed};
}

Section::Key Section::duration(std::string_view name, Duration& into, Duration min, Duration max) {
  const std::string range = duration_text(min) + " to " + duration_text(max);
  const Found found = find(name, "duration, " + range, into == Duration::zero() ? "0" : duration_text(into));
  if (found.misfit) return wrong(found, {}, "a duration from " + range);
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  auto value = parse_duration(found.value->text);
  if (!value) return wrong_value(found, std::move(value.error().what), std::move(value.error().expected));
  if (*value == Duration::zero()) return {*this, found.path, found.empty, false};
  if (*value < min || *value > max)
    return wrong_value(found, found.value->text + " is out of range", "a duration from " + range);
  const bool changed = *value != into;
  into = *value;
  return {*this, found.path, found.empty, changed};
}

Section::Key Section::seconds_or_off(std::string_view name, Duration& into, std::chrono::seconds min,
                                     std::chrono::seconds max) {
  const std::string range = duration_text(min) + " to " + duration_text(max) + ", or 0";
  const Found found = find(name, "duration, " + range, into == Duration::zero() ? "0" : duration_text(into));
  const std::string expected = "whole seconds, " + range + " for off";
  if (found.misfit) return wrong(found, {}, expected);
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  auto value = parse_duration(found.value->text);
  if (!value) return wrong_value(found, std::move(value.error().what), std::move(value.error().expected));
  if (*value != Duration::zero() && (*value < min || *value > max)) {
    return wrong_value(found, found.value->text + " is out of range", expected);
  }
  if (*value % std::chrono::seconds(1) != Duration::zero()) {
    return wrong_value(found, found.value->text + " has a fraction of a second", expected);
  }
  const bool changed = *value != into;
  into = *value;
  return {*this, found.path, found.empty, changed};
}

Section::Key Section::address(std::string_view name, HostPort& into, std::uint16_t port_min) {
  const Found found = find(name, "host:port", {});
  if (found.misfit) return wrong(found, {}, "host:port");
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  auto value = HostPort::parse(found.value->text);
  if (!value) return wrong_value(found, std::move(value.error().what), std::move(value.error().expected));
  if (value->host == "*" && port_min == 0) {
    const std::string every = ":" + std::to_string(value->port);
    return wrong_value(found, "\"*\" is not a host", in_quotes(every) + ": an empty host is every address");
  }
  if (!is_host_name(value->host) && !is_ip(value->host))
    return wrong_value(found, in_quotes(value->host) + " is not a host", host_form());
  if (lacks_interface(value->host)) {
    const HostPort on_interface{value->host + "%INTERFACE", value->port};
    return wrong_value(found, in_quotes(value->host).append(kNeedsInterface), on_interface.text());
  }
  if (value->host.empty() && port_min > 0)
    return wrong_value(found, in_quotes(found.value->text) + " has no host", "host:port");
  if (value->port < port_min) return wrong(found, "port 0 cannot be connected to", "a port from 1 to 65535");
  into = *std::move(value);
  return {*this, found.path, found.empty, true};
}

Section::Key Section::host(std::string_view name, std::string& into) {
  const Found found = find(name, "host", into);
  if (found.misfit) return wrong(found, {}, "a host name or an IP address");
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  std::string_view given = found.value->text;
  if (given.size() > 2 && given.front() == '[' && given.back() == ']') given = given.substr(1, given.size() - 2);
  const bool address = is_ip(given);
  if (!address && !is_host_name(given)) {
    return wrong_value(found, in_quotes(found.value->text) + " is not a host",
                       given.contains(':') ? "a host name or an IP address, without a port" : host_form());
  }
  if (!address && ends_in_number(given)) {
    return wrong_value(found, in_quotes(found.value->text) + " is not an IPv4 address", std::string(kIpv4Form));
  }
  if (lacks_interface(given)) {
    return wrong_value(found, in_quotes(given).append(kNeedsInterface), std::string(given) + "%INTERFACE");
  }
  into = given;
  return {*this, found.path, found.empty, true};
}

Section::Key Section::word(std::string_view name, std::size_t& picked, std::span<const std::string_view> words) {
  std::string listed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) listed += i + 1 < words.size() ? ", " : " or ";
    listed += words[i];
  }
  const Found found = find(name, listed, std::string(words[picked]));
  if (found.misfit) return wrong(found, {}, listed);
  if (found.value == nullptr) return {*this, found.path, found.empty, false};
  const auto match = std::ranges::find(words, found.value->text);
  if (match == words.end()) {
    const std::string_view nearest = nearest_name(found.value->text, words);
    return wrong_value(found, in_quotes(found.value->text) + " is not known",
                       nearest.empty() ? listed : listed + "; nearest: " + std::string(nearest));
  }
  const auto index = static_cast<std::size_t>(match - words.begin());
  const bool changed = index != picked;
  picked = index;
  return {*this, found.path, found.empty, changed};
}

}  // namespace qmux::app

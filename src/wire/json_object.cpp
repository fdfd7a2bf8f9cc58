// SPDX-License-Identifier: MIT
#include "wire/json_object.h"

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace qmux::wire {
namespace {

using Json = nlohmann::json;

// No known message nests deeper than two levels. An extension that we ignore may, up to this limit.
constexpr std::size_t kDepthMax = 32;

std::string_view type_name(const JsonField::Place& place) {
  return std::visit(
      []<typename T>(T*) -> std::string_view {
        if constexpr (std::is_same_v<T, bool>) return "true or false";
        if constexpr (std::is_same_v<T, std::uint32_t>) return "an integer from 0 to 2^32-1";
        if constexpr (std::is_same_v<T, std::uint64_t>) return "an integer from 0 to 2^64-1";
        if constexpr (std::is_same_v<T, std::int64_t>) return "an integer from -2^63 to 2^63-1";
        if constexpr (std::is_same_v<T, std::string>) return "a string";
        if constexpr (std::is_same_v<T, std::vector<std::string>>) return "an array of strings";
        if constexpr (std::is_same_v<T, std::vector<std::uint32_t>>) return "an array of integers from 0 to 2^32-1";
      },
      place);
}

/// Takes the parser's events. Every handler returns whether to go on; after `false` error() says why.
class FieldReader final : public nlohmann::json_sax<Json> {
 public:
  FieldReader(std::string_view object, std::span<const JsonField> fields) : object_(object), fields_(fields) {
    CHECK(fields.size() <= std::numeric_limits<decltype(seen_)>::digits);
  }

  [[nodiscard]] Result<void> result() const {
    if (error_) return std::unexpected(*error_);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].required && !was_seen(i)) return missing(fields_[i], "is missing");
    }
    return {};
  }

  bool null() override {
    if (depth_ != 1) return scalar();
    if (current_ == nullptr) return true;
    // Go encodes an empty list as null, because it does not distinguish a nil slice from an empty one.
    if (begin_list()) {
      strings_ = nullptr;
      numbers_ = nullptr;
      return taken();
    }
    return current_->required ? stop(missing(*current_, "is null")) : true;
  }

  bool boolean(bool value) override {
    if (auto* place = wanted<bool>()) return *place = value, taken();
    return scalar();
  }

  bool number_unsigned(std::uint64_t value) override {
    if (auto* place = wanted<std::uint64_t>()) return *place = value, taken();
    if (auto* place = wanted<std::uint32_t>(); place && std::in_range<std::uint32_t>(value)) {
      return *place = static_cast<std::uint32_t>(value), taken();
    }
    if (auto* place = wanted<std::int64_t>(); place && std::in_range<std::int64_t>(value)) {
      return *place = static_cast<std::int64_t>(value), taken();
    }
    if (numbers_ != nullptr && depth_ == 2 && std::in_range<std::uint32_t>(value)) {
      return numbers_->push_back(static_cast<std::uint32_t>(value)), true;
    }
    return scalar();
  }

  bool number_integer(std::int64_t value) override {
    if (value >= 0) return number_unsigned(static_cast<std::uint64_t>(value));  // "-0"
    if (auto* place = wanted<std::int64_t>()) return *place = value, taken();
    return scalar();
  }

  bool number_float(double /*value*/, const std::string& /*text*/) override { return scalar(); }

  bool string(std::string& value) override {
    if (auto* place = wanted<std::string>()) return *place = std::move(value), taken();
    if (strings_ != nullptr && depth_ == 2) return strings_->push_back(std::move(value)), true;
    return scalar();
  }

  bool binary(Json::binary_t& /*value*/) override { return scalar(); }

  bool start_object(std::size_t /*size*/) override {
    if (depth_ > 0 && !scalar()) return false;
    return deeper();
  }

  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    current_ = nullptr;
    for (const JsonField& field : fields_) {
      if (field.name == name) current_ = &field;
    }
    return true;
  }

  bool end_object() override { return --depth_, true; }

  bool start_array(std::size_t /*size*/) override {
    if (begin_list()) return taken(), deeper();
    return scalar() && deeper();
  }

  bool end_array() override {
    if (--depth_ == 1) {
      strings_ = nullptr;
      numbers_ = nullptr;
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& /*why*/) override {
    return stop(fail("is not JSON at byte " + std::to_string(position), std::string(object_), "a JSON object"));
  }

 private:
  /// The place of the value that begins here, if it is one that we want and its type is T.
  template <typename T>
  T* wanted() const {
    if (depth_ != 1 || current_ == nullptr) return nullptr;
    T* const* place = std::get_if<T*>(&current_->place);
    return place == nullptr ? nullptr : *place;
  }

  /// Whether the value that begins here is to be a list; it is empty then.
  bool begin_list() {
    if (depth_ != 1) return false;
    strings_ = wanted<std::vector<std::string>>();
    numbers_ = wanted<std::vector<std::uint32_t>>();
    if (strings_ != nullptr) strings_->clear();
    if (numbers_ != nullptr) numbers_->clear();
    return in_list();
  }
  [[nodiscard]] bool in_list() const { return strings_ != nullptr || numbers_ != nullptr; }

  /// A value that no place takes: ignored where none is expected, mistyped elsewhere.
  bool scalar() {
    if (depth_ == 0) return stop(fail("is not a JSON object", std::string(object_)));
    if (depth_ == 1 && current_ != nullptr) return stop(missing(*current_, "has the wrong type or range"));
    if (depth_ == 2 && in_list()) return stop(missing(*current_, "holds something else"));
    return true;
  }

  bool deeper() {
    if (++depth_ > kDepthMax) return stop(fail("is nested too deeply", std::string(object_)));
    return true;
  }

  bool taken() {
    seen_ |= 1U << static_cast<unsigned>(current_ - fields_.data());
    return true;
  }

  [[nodiscard]] bool was_seen(std::size_t index) const { return ((seen_ >> index) & 1U) != 0; }

  [[nodiscard]] std::unexpected<Error> missing(const JsonField& field, std::string what) const {
    return fail(std::move(what), std::string(object_) + "." + std::string(field.name),
                std::string(type_name(field.place)));
  }

  bool stop(std::unexpected<Error> error) {
    error_ = std::move(error).error();
    return false;
  }

  std::string_view object_;
  std::span<const JsonField> fields_;
  const JsonField* current_ = nullptr;  // of the last key at depth 1
  // The list that is being filled, at depth 2: one of the two.
  std::vector<std::string>* strings_ = nullptr;
  std::vector<std::uint32_t>* numbers_ = nullptr;
  std::size_t depth_ = 0;
  std::uint32_t seen_ = 0;  // a bit a field
  std::optional<Error> error_;
};

}  // namespace

Result<void> read_json_object(ConstBytes json, std::string_view object, std::span<const JsonField> fields) {
  FieldReader reader(object, fields);
  const std::string_view text = as_text(json);
  // The parser keeps its own stack, one bit a level, on the heap; the events above build no tree.
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) CHECK(!reader.result().has_value());
  return reader.result();
}

}  // namespace qmux::wire

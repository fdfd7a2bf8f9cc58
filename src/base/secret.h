// SPDX-License-Identifier: MIT
//
// A text that must never reach a log, an error or a terminal. It has no formatter and no stream operator, so printing one does
// not compile. Its bytes are overwritten when it is destroyed. Code that needs the bytes calls expose().
#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace qmux {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(Secret other) noexcept {
    text_.swap(other.text_);  // `other` takes the old text away and wipes it
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return text_.size(); }
  [[nodiscard]] ConstBytes expose() const noexcept { return as_bytes(text_); }

 private:
  // A moved-from short string still holds its characters in place: overwrite the whole capacity, not the size.
  void wipe() noexcept {
    text_.resize(text_.capacity());
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace qmux

// SPDX-License-Identifier: MIT
//
// Messages as the bytes of a stream, for tests that speak the protocol themselves.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/message_reader.h"
#include "wire/messages.h"

namespace qmux::testing {

inline std::string bytes_of(const wire::Message& message) {
  std::vector<std::byte> bytes;
  wire::encode(message, bytes);
  return std::string(as_text(bytes));
}

/// The messages that `received` begins with, which it loses; `at_most` of them.
inline std::vector<wire::Message> take_messages(std::string& received, std::size_t at_most = SIZE_MAX) {
  std::vector<wire::Message> messages;
  std::size_t taken = 0;
  wire::MessageReader reader;
  ConstBytes rest = as_bytes(received);
  while (!rest.empty() && messages.size() < at_most) {
    auto step = reader.read(rest);
    if (!step) break;
    rest = rest.subspan(step->consumed);
    if (!step->message) break;
    taken = received.size() - rest.size();
    messages.push_back(std::move(*step->message));
  }
  received.erase(0, taken);
  return messages;
}

}  // namespace qmux::testing

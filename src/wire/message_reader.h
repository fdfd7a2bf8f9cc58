// SPDX-License-Identifier: MIT
//
// Reads messages from a byte stream that arrives in any pieces. No I/O. One reader for each stream and direction; one thread. It
// owns memory only while a message of a known type is incomplete, and never more than limits::kMessageBytesMax.
//
//   while (!input.empty()) {
//     auto step = reader.read(input);
//     if (!step) ... // the peer violated the protocol: end the stream input = input.subspan(step->consumed); if (step->message)
//     ...
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/messages.h"

namespace qmux::wire {

class MessageReader {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< of the input, exactly to the end of `message`; the bytes after it were not read
    std::optional<Message> message;  ///< nothing: all of the input was consumed and more is needed
  };

  /// Reads to the end of one message at most. After an Error further calls give the same Error.
  [[nodiscard]] Result<Step> read(ConstBytes input);

  /// Whether a message has begun and not ended. A stream that ends in between was cut.
  [[nodiscard]] bool in_message() const noexcept { return header_have_ > 0; }

 private:
  Result<Step> stop(Error error);

  std::array<std::byte, kMessageHeaderBytes> header_{};
  std::size_t header_have_ = 0;
  std::size_t payload_left_ = 0;    // known once the header is complete
  std::vector<std::byte> payload_;  // what came before this input; stays empty for a type that is skipped
  std::optional<Error> error_;
};

}  // namespace qmux::wire

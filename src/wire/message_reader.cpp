// SPDX-License-Identifier: MIT
#include "wire/message_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "wire/limits.h"

namespace qmux::wire {

Result<MessageReader::Step> MessageReader::read(ConstBytes input) {
  if (error_) return std::unexpected(*error_);

  Step step;
  if (header_have_ < kMessageHeaderBytes) {
    step.consumed = std::min(input.size(), kMessageHeaderBytes - header_have_);
    std::copy_n(input.begin(), step.consumed, header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
    header_have_ += step.consumed;
    if (header_have_ < kMessageHeaderBytes) return step;
    payload_left_ = read_be<std::uint32_t>(ConstBytes(header_).subspan(1));
    if (payload_left_ > limits::kMessageBytesMax) {
      return stop({"a message of " + std::to_string(payload_left_) + " bytes is too long", "",
                   "at most " + std::to_string(limits::kMessageBytesMax)});
    }
  }

  const auto type = std::to_integer<std::uint8_t>(header_[0]);
  const ConstBytes piece = input.subspan(step.consumed, std::min(input.size() - step.consumed, payload_left_));
  step.consumed += piece.size();
  payload_left_ -= piece.size();
  // A message in one piece, as nearly all are, is read without a copy.
  const bool in_one_piece = payload_left_ == 0 && payload_.empty();
  if (!in_one_piece && is_known_type(type)) payload_.insert(payload_.end(), piece.begin(), piece.end());
  if (payload_left_ > 0) return step;

  auto message = decode_message(type, in_one_piece ? piece : ConstBytes(payload_));
  payload_ = {};
  header_have_ = 0;
  if (!message) return stop(std::move(message).error());
  step.message = *std::move(message);
  return step;
}

Result<MessageReader::Step> MessageReader::stop(Error error) {
  payload_ = {};
  error_ = std::move(error);
  return std::unexpected(*error_);
}

}  // namespace qmux::wire

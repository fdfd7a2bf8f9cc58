// SPDX-License-Identifier: MIT
//
// What the user can do about a connection that failed, for the field `remedy` of the log. The text may name files and keys of the
// configuration, which this layer does not know.
//
// Implemented by the layer that fills in the options. The functions are const, so any thread may call them. An empty text: no
// advice.
#pragma once

#include <cstddef>
#include <string>

#include "quic/close_cause.h"

namespace qmux::tunnel {

class ClientAdvice {
 public:
  /// The name of the server at this place in the options has no address.
  [[nodiscard]] virtual std::string unresolved(std::size_t server) const = 0;
  [[nodiscard]] virtual std::string closed(const quic::CloseCause& cause, std::size_t server) const = 0;

 protected:
  ~ClientAdvice() = default;
};

class ServerAdvice {
 public:
  [[nodiscard]] virtual std::string closed(const quic::CloseCause& cause) const = 0;

 protected:
  ~ServerAdvice() = default;
};

}  // namespace qmux::tunnel

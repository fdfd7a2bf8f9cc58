// SPDX-License-Identifier: MIT
//
// What the user can do about a connection that failed, for the field `remedy` of the log. The text may name files and keys of the
// configuration, which this layer does not know.
//
// Implemented by the layer that fills in the options. The functions are const, so any thread may call them. An empty text: no
// advice.
#pragma once

#include <string>

#include "quic/close_cause.h"

namespace qmux::tunnel {

struct ServerEntry;

class ClientAdvice {
 public:
  /// The server's name has no address.
  [[nodiscard]] virtual std::string unresolved(const ServerEntry& server) const = 0;
  [[nodiscard]] virtual std::string closed(const quic::CloseCause& cause, const ServerEntry& server) const = 0;

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

// SPDX-License-Identifier: MIT
//
// What the user can do about a connection that failed: the field `remedy` of the log. It names the side, the file or the key
// concerned, and what would be right.
//
// The configuration outlives the advice.
#pragma once

#include <string>

#include "app/config/client_config.h"
#include "app/config/server_config.h"
#include "tunnel/advice.h"

namespace qmux::app {

class ClientConnectionAdvice final : public tunnel::ClientAdvice {
 public:
  explicit ClientConnectionAdvice(const ClientConfig& config) noexcept : config_(config) {}

  [[nodiscard]] std::string unresolved(const tunnel::ServerEntry& server) const override;
  [[nodiscard]] std::string closed(const quic::CloseCause& cause, const tunnel::ServerEntry& server) const override;

 private:
  [[nodiscard]] std::string about_server_certificate(quic::CertificateFault fault,
                                                     const std::string& server_name) const;
  [[nodiscard]] std::string about_own_certificate(quic::CertificateFault fault) const;

  const ClientConfig& config_;
};

class ServerConnectionAdvice final : public tunnel::ServerAdvice {
 public:
  explicit ServerConnectionAdvice(const ServerConfig& config) noexcept : config_(config) {}

  [[nodiscard]] std::string closed(const quic::CloseCause& cause) const override;

 private:
  [[nodiscard]] std::string about_client_certificate(quic::CertificateFault fault) const;
  [[nodiscard]] std::string about_own_certificate(quic::CertificateFault fault) const;

  const ServerConfig& config_;
};

}  // namespace qmux::app

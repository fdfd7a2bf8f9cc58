// SPDX-License-Identifier: MIT
//
// The demo's local service: just enough HTTP/1.1 (RFC 9112) for a browser, curl and the demo itself.
//
//   GET /             a greeting
//   GET /bytes/N      N bytes, always the same ones
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace qmux::app {

class HttpService {
 public:
  /// Listens on 127.0.0.1, on a free port, and serves on a thread of its own until destroyed. Throws std::system_error when it
  /// cannot listen.
  HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;
  ~HttpService();

  [[nodiscard]] std::uint16_t port() const noexcept;
  static constexpr std::size_t kPatternBytes = 65536;
  /// The bytes that /bytes/N repeats.
  [[nodiscard]] static std::span<const std::byte> pattern();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qmux::app

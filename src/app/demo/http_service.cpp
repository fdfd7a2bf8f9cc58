// SPDX-License-Identifier: MIT
#include "app/demo/http_service.h"

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace qmux::app {
namespace {

using asio::ip::tcp;

constexpr std::size_t kRequestBytesMax = 8192;
constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{16} << 30U;
constexpr std::string_view kGreeting = "Hello from the local service. You came through a QMux tunnel.\n";

std::string head(std::string_view status, std::uint64_t length) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// N of "GET /bytes/N HTTP/1.1".
std::optional<std::uint64_t> wanted_bytes(std::string_view request_line) {
  constexpr std::string_view kPrefix = "GET /bytes/";
  if (!request_line.starts_with(kPrefix)) return {};
  std::uint64_t bytes = 0;
  const char* const begin = request_line.data() + kPrefix.size();
  const auto [end, error] = std::from_chars(begin, request_line.data() + request_line.size(), bytes);
  if (error != std::errc{} || end == begin || *end != ' ' || bytes > kAnswerBytesMax) return {};
  return bytes;
}

asio::awaitable<void> send_pattern(tcp::socket& socket, std::uint64_t bytes) {
  const auto pattern = HttpService::pattern();
  std::string first = head("200 OK", bytes);
  const std::size_t with_head = std::min<std::uint64_t>(bytes, pattern.size());
  const std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::const_buffer(pattern.data(), with_head)};
  co_await asio::async_write(socket, parts, asio::use_awaitable);
  for (bytes -= with_head; bytes > 0;) {
    const std::size_t part = std::min<std::uint64_t>(bytes, pattern.size());
    co_await asio::async_write(socket, asio::const_buffer(pattern.data(), part), asio::use_awaitable);
    bytes -= part;
  }
}

asio::awaitable<void> serve(tcp::socket socket) {
  try {
    socket.set_option(tcp::no_delay(true));
    std::string received;
    for (;;) {
      const std::size_t length = co_await asio::async_read_until(
          socket, asio::dynamic_buffer(received, kRequestBytesMax), "\r\n\r\n", asio::use_awaitable);
      const std::string_view line = std::string_view(received).substr(0, received.find("\r\n"));
      if (const auto bytes = wanted_bytes(line)) {
        co_await send_pattern(socket, *bytes);
      } else {
        const bool root = line.starts_with("GET / ");
        const std::string_view body = root ? kGreeting : std::string_view("not found\n");
        const std::string answer = head(root ? "200 OK" : "404 Not Found", body.size()) + std::string(body);
        co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
      }
      received.erase(0, length);
    }
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
    // The peer has gone, or asked for more than a request's length: that connection is over.
  }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

struct HttpService::Impl {
  asio::io_context context{1};
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::jthread thread;
};

HttpService::HttpService() : impl_(std::make_unique<Impl>()) {
  asio::co_spawn(impl_->context, accept_all(impl_->acceptor), asio::detached);
  impl_->thread = std::jthread([this] { impl_->context.run(); });
}

HttpService::~HttpService() { impl_->context.stop(); }

std::uint16_t HttpService::port() const noexcept { return impl_->acceptor.local_endpoint().port(); }

std::span<const std::byte> HttpService::pattern() {
  static const auto bytes = [] {
    std::array<std::byte, kPatternBytes> filled;
    std::uint32_t state = 1;
    for (std::byte& byte : filled) {  // xorshift32: neither compressible nor repetitive
      state ^= state << 13U;
      state ^= state >> 17U;
      state ^= state << 5U;
      byte = static_cast<std::byte>(state);
    }
    return filled;
  }();
  return bytes;
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/demo/http_visitor.h"

#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <vector>

#include "app/demo/http_service.h"
#include "base/check.h"

namespace qmux::app {
namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

class Sha256 {
 public:
  Sha256() { CHECK(gnutls_hash_init(&hash_, GNUTLS_DIG_SHA256) == 0); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256() { gnutls_hash_deinit(hash_, nullptr); }
  void add(const void* data, std::size_t bytes) { gnutls_hash(hash_, data, bytes); }
  [[nodiscard]] std::string hex() {
    std::array<unsigned char, 32> digest;
    gnutls_hash_output(hash_, digest.data());
    std::string text;
    for (const unsigned char byte : digest) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return text;
  }

 private:
  gnutls_hash_hd_t hash_{};
};

/// One HTTP connection. Throws std::system_error as Asio does.
class Visitor {
 public:
  explicit Visitor(const Address& service) : socket_(context_) {
    const tcp::endpoint endpoint(asio::ip::make_address(service.host_text()), service.port());
    socket_.connect(endpoint);
    socket_.set_option(tcp::no_delay(true));
  }

  /// Sends the request, and gives `take` the body in parts.
  template <typename Take>
  void get(std::uint64_t bytes, Take take) {
    const std::string request = "GET /bytes/" + std::to_string(bytes) + " HTTP/1.1\r\nHost: demo\r\n\r\n";
    asio::write(socket_, asio::buffer(request));
    std::string received;
    const std::size_t head = asio::read_until(socket_, asio::dynamic_buffer(received), "\r\n\r\n");
    std::uint64_t missing = bytes - take(received.data() + head, received.size() - head);
    while (missing > 0) missing -= take(buffer_.data(), socket_.read_some(asio::buffer(buffer_)));
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace

Result<Fetch> fetch(const Address& service, std::uint64_t bytes) {
  try {
    Sha256 hash;
    const auto begin = Clock::now();
    Visitor(service).get(bytes, [&](const char* data, std::size_t count) {
      hash.add(data, count);
      return count;
    });
    return Fetch{bytes, Clock::now() - begin, hash.hex()};
  } catch (const std::system_error& error) {
    return fail(std::string("the transfer broke off: ") + error.what(), service.text());
  }
}

Result<std::chrono::duration<double>> median_round_trip(const Address& service, std::size_t count) {
  try {
    Visitor visitor(service);
    std::vector<std::chrono::duration<double>> times(count);
    for (auto& time : times) {
      const auto begin = Clock::now();
      visitor.get(64, [](const char*, std::size_t bytes) { return bytes; });
      time = Clock::now() - begin;
    }
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(count / 2));
    return times[count / 2];
  } catch (const std::system_error& error) {
    return fail(std::string("the connection broke off: ") + error.what(), service.text());
  }
}

std::string expected_sha256(std::uint64_t bytes) {
  Sha256 hash;
  const auto pattern = HttpService::pattern();
  while (bytes > 0) {
    const std::size_t part = std::min<std::uint64_t>(bytes, pattern.size());
    hash.add(pattern.data(), part);
    bytes -= part;
  }
  return hash.hex();
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
#include "app/demo/http_visitor.h"

#include <algorithm>
#include <asio.hpp>
#include <cstring>
#include <system_error>
#include <vector>

#include "app/demo/http_service.h"
#include "app/demo/sha256.h"

namespace qmux::app {
namespace {

using asio::ip::tcp;

constexpr std::size_t kRequestBytesMax = std::size_t{32} << 20U;
static_assert(kRequestBytesMax % HttpService::kPatternBytes == 0, "answers join to one as if asked for at once");
constexpr std::size_t kSmallBytes = 64;

/// One HTTP connection. Throws std::system_error as Asio does.
class Visitor {
 public:
  explicit Visitor(const Address& service) : socket_(context_) {
    const tcp::endpoint endpoint(asio::ip::make_address(service.host_text()), service.port());
    socket_.connect(endpoint);
    socket_.set_option(tcp::no_delay(true));
  }

  /// Asks for as many bytes as fit `into` and waits for them.
  void get(std::span<std::byte> into) {
    const std::string request = "GET /bytes/" + std::to_string(into.size()) + " HTTP/1.1\r\nHost: demo\r\n\r\n";
    asio::write(socket_, asio::buffer(request));
    std::string received;
    const std::size_t head = asio::read_until(socket_, asio::dynamic_buffer(received), "\r\n\r\n");
    const std::size_t with_head = std::min(received.size() - head, into.size());
    std::memcpy(into.data(), received.data() + head, with_head);
    const auto rest = into.subspan(with_head);
    asio::read(socket_, asio::buffer(rest.data(), rest.size()));
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
};

}  // namespace

Result<Seconds> fetch(const Address& service, std::uint64_t bytes, const DemoClock& clock,
                      const std::function<void(std::span<const std::byte>)>& arrived) {
  try {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(bytes, kRequestBytesMax));
    Seconds begin = clock();
    Visitor visitor(service);
    Seconds taken{};
    while (bytes > 0) {
      const auto part = std::span(buffer).first(std::min<std::uint64_t>(bytes, buffer.size()));
      visitor.get(part);
      taken += clock() - begin;
      arrived(part);
      bytes -= part.size();
      begin = clock();
    }
    return taken;
  } catch (const std::system_error& error) {
    return fail(std::string("the transfer was interrupted: ") + error.what(), service.text());
  }
}

Result<Seconds> median_round_trip(const Address& service, std::size_t count, const DemoClock& clock) {
  try {
    Visitor visitor(service);
    std::vector<std::byte> answer(kSmallBytes);
    std::vector<Seconds> times(count);
    for (auto& time : times) {
      const Seconds begin = clock();
      visitor.get(answer);
      time = clock() - begin;
    }
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(count / 2));
    return times[count / 2];
  } catch (const std::system_error& error) {
    return fail(std::string("the connection was interrupted: ") + error.what(), service.text());
  }
}

std::string expected_sha256(std::uint64_t bytes) {
  Sha256 hash;
  const auto pattern = HttpService::pattern();
  while (bytes > 0) {
    const auto part = pattern.first(std::min<std::uint64_t>(bytes, pattern.size()));
    hash.add(part);
    bytes -= part.size();
  }
  return hash.hex();
}

}  // namespace qmux::app

// SPDX-License-Identifier: MIT
//
// Load for the benchmark: a service, and visitors who measure. It knows nothing of QMux: the same bytes go over the raw path, a
// plain relay, or any tunnel.
//
//   load service                              prints "port N"; serves until its standard input ends
//   load throughput PORT up|down STREAMS BYTES      BYTES in each of STREAMS connections at once
//   load latency PORT COUNT                   COUNT round trips of 64 bytes on one connection
//   load short PORT AT_ONCE SECONDS           connections one after another: ask, get 64 bytes, end
//   load idle PORT COUNT                      opens COUNT connections, says "ready", keeps them until its input ends
//
// Visitors print one line of JSON. A connection begins with a request: 'u' (takes what comes, answers how much it was), 'd'
// (sends as much as asked) or 'e' (echoes), then a 64-bit count.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::size_t kMessageBytes = 64;

struct Request {
  char kind;
  std::uint64_t count;
};
constexpr std::size_t kRequestBytes = 9;

std::array<char, kRequestBytes> encode(Request request) {
  std::array<char, kRequestBytes> bytes{request.kind};
  std::memcpy(bytes.data() + 1, &request.count, sizeof request.count);
  return bytes;
}

std::vector<char>& block() {
  static std::vector<char> bytes(kBlockBytes, 'q');
  return bytes;
}

// --- the service --------------------------------------------------------------------------------------------------------

asio::awaitable<void> serve_up(tcp::socket& socket) {
  std::uint64_t total = 0;
  asio::error_code error;
  while (!error) {
    total += co_await socket.async_read_some(asio::buffer(block()), asio::redirect_error(asio::use_awaitable, error));
  }
  co_await asio::async_write(socket, asio::buffer(&total, sizeof total), asio::use_awaitable);
}

asio::awaitable<void> serve_down(tcp::socket& socket, std::uint64_t bytes) {
  while (bytes > 0) {
    const std::size_t part = std::min<std::uint64_t>(bytes, kBlockBytes);
    bytes -= co_await asio::async_write(socket, asio::buffer(block(), part), asio::use_awaitable);
  }
}

asio::awaitable<void> serve_echo(tcp::socket& socket) {
  std::array<char, kMessageBytes> message;
  for (;;) {
    const std::size_t count = co_await socket.async_read_some(asio::buffer(message), asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(message, count), asio::use_awaitable);
  }
}

asio::awaitable<void> serve(tcp::socket socket) {
  try {
    socket.set_option(tcp::no_delay(true));
    std::array<char, kRequestBytes> bytes;
    co_await asio::async_read(socket, asio::buffer(bytes), asio::use_awaitable);
    std::uint64_t count = 0;
    std::memcpy(&count, bytes.data() + 1, sizeof count);
    if (bytes[0] == 'u') co_await serve_up(socket);
    if (bytes[0] == 'd') co_await serve_down(socket, count);
    if (bytes[0] == 'e') co_await serve_echo(socket);
  } catch (const std::system_error&) {
    // The visitor has gone.
  }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor) {
  for (;;) {
    asio::co_spawn(acceptor.get_executor(), serve(co_await acceptor.async_accept(asio::use_awaitable)), asio::detached);
  }
}

void wait_for_end_of_input() {
  while (std::getchar() != EOF) {
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int service() {
  asio::io_context context{1};
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(4096);
  std::printf("port %u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::co_spawn(context, accept_all(acceptor), asio::detached);
  std::jthread until_input_ends([&] {
    wait_for_end_of_input();
    context.stop();
  });
  context.run();
  return 0;
}

// --- visitors -----------------------------------------------------------------------------------------------------------

class Visitor {
 public:
  explicit Visitor(std::uint16_t port) : socket_(context_) {
    socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    socket_.set_option(tcp::no_delay(true));
  }
  void ask(Request request) { asio::write(socket_, asio::buffer(encode(request))); }
  std::uint64_t read_to_end() {
    std::uint64_t total = 0;
    asio::error_code error;
    for (;;) {
      total += socket_.read_some(asio::buffer(buffer()), error);
      if (error == asio::error::eof) return total;
      if (error) throw std::system_error(error);
    }
  }
  void send(std::uint64_t bytes) {
    while (bytes > 0) {
      bytes -= asio::write(socket_, asio::buffer(block(), std::min<std::uint64_t>(bytes, kBlockBytes)));
    }
    socket_.shutdown(tcp::socket::shutdown_send);
  }
  void round_trip() {
    std::array<char, kMessageBytes> message{};
    asio::write(socket_, asio::buffer(message));
    asio::read(socket_, asio::buffer(message));
  }
  tcp::socket& socket() { return socket_; }

 private:
  static std::vector<char>& buffer() {
    thread_local std::vector<char> bytes(kBlockBytes);
    return bytes;
  }
  asio::io_context context_{1};
  tcp::socket socket_;
};

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

int throughput(std::uint16_t port, bool up, std::size_t streams, std::uint64_t bytes) {
  std::atomic<bool> exact = true;
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < streams; ++i) {
      threads.emplace_back([&] {
        Visitor visitor(port);
        visitor.ask({up ? 'u' : 'd', bytes});
        if (up) {
          visitor.send(bytes);
          std::uint64_t arrived = 0;
          asio::error_code error;  // a tunnel without half-close has ended the answer's direction by now
          asio::read(visitor.socket(), asio::buffer(&arrived, sizeof arrived), error);
          if (error || arrived != bytes) exact = false;
        } else if (visitor.read_to_end() != bytes) {
          exact = false;
        }
      });
    }
  }
  std::printf("{\"seconds\": %.6f, \"bytes\": %llu, \"exact\": %s}\n", since(begin),
              static_cast<unsigned long long>(bytes * streams), exact ? "true" : "false");
  return 0;
}

int latency(std::uint16_t port, std::size_t count) {
  Visitor visitor(port);
  visitor.ask({'e', 0});
  for (std::size_t i = 0; i < count / 10; ++i) visitor.round_trip();
  std::vector<double> microseconds(count);
  for (double& time : microseconds) {
    const auto begin = Clock::now();
    visitor.round_trip();
    time = since(begin) * 1e6;
  }
  std::ranges::sort(microseconds);
  std::printf("{\"p50_us\": %.2f, \"p99_us\": %.2f}\n", microseconds[count / 2], microseconds[count * 99 / 100]);
  return 0;
}

int short_connections(std::uint16_t port, std::size_t at_once, double seconds) {
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> inexact = 0;  // lost bytes, or got bytes that the service did not send
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < at_once; ++i) {
      threads.emplace_back([&] {
        while (since(begin) < seconds) {
          try {
            Visitor visitor(port);
            visitor.ask({'d', kMessageBytes});
            const std::uint64_t received = visitor.read_to_end();
            if (received >= kMessageBytes) ++done;
            if (received != kMessageBytes) ++inexact;
          } catch (const std::system_error&) {
            ++failed;
          }
        }
      });
    }
  }
  const double elapsed = since(begin);
  std::printf("{\"seconds\": %.6f, \"connections\": %llu, \"failed\": %llu, \"inexact\": %llu}\n", elapsed,
              static_cast<unsigned long long>(done.load()), static_cast<unsigned long long>(failed.load()),
              static_cast<unsigned long long>(inexact.load()));
  return 0;
}

int idle(std::uint16_t port, std::size_t count) {
  asio::io_context context{1};
  std::vector<tcp::socket> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    tcp::socket& socket = sockets.emplace_back(context);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    asio::write(socket, asio::buffer(encode({'e', 0})));
    std::array<char, kMessageBytes> message{};
    asio::write(socket, asio::buffer(message));
    asio::read(socket, asio::buffer(message));
  }
  std::puts("ready");
  std::fflush(stdout);
  wait_for_end_of_input();
  return 0;
}

int run(int argc, char** argv) {
  raise_descriptor_limit();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto number = [&](std::size_t i) { return std::strtoull(arguments.at(i).c_str(), nullptr, 10); };
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "service") return service();
  const auto port = static_cast<std::uint16_t>(arguments.size() > 1 ? number(1) : 0);
  if (what == "throughput" && arguments.size() == 5)
    return throughput(port, arguments[2] == "up", number(3), number(4));
  if (what == "latency" && arguments.size() == 3) return latency(port, number(2));
  if (what == "short" && arguments.size() == 4)
    return short_connections(port, number(2), static_cast<double>(number(3)));
  if (what == "idle" && arguments.size() == 3) return idle(port, number(2));
  std::fputs(
      "usage: load service | throughput PORT up|down STREAMS BYTES | latency PORT COUNT | short PORT AT_ONCE SECONDS"
      " | idle PORT COUNT\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: MIT
//
// UDP load for the benchmark: a service, and visitors who measure. It knows nothing of QMux. It sends and receives in runs of
// packets where it can (UDP_SEGMENT, UDP_GRO), so that it leaves the processor to what is measured.
//
//   udp_load service                                         prints "port N"; serves until its standard input ends
//   udp_load up PORT SERVICE_PORT BYTES MBIT SECONDS RUN     sends payloads of BYTES at MBIT/s, RUN packets in one piece
//   udp_load down PORT SERVICE_PORT BYTES MBIT SECONDS RUN   has the service send likewise
//   udp_load latency PORT COUNT                              COUNT round trips of 64 bytes
//
// Visitors print one line of JSON. SERVICE_PORT is the way around what is measured: the service is asked there what came, or
// what it has sent.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kSlotBytes = 65536;
constexpr std::size_t kMessages = 32;
constexpr int kSocketBytes = 8 * 1024 * 1024;
constexpr std::size_t kEchoBytes = 64;
constexpr auto kPatience = 5s;
/// No packet for so long: none is on its way any more.
constexpr auto kQuiet = 300ms;

/// The first byte of a payload.
struct Kind {
  enum : char { echo = 'e', counted = 'c', forget = 'f', ask = 'a', send = 's', ask_sent = 't' };
};

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    if (fd_ < 0) fail("socket");
    const int on = 1;
    setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    for (const int option : {SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
      setsockopt(fd_, SOL_SOCKET, option, &kSocketBytes, sizeof kSocketBytes);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }

  void bind_to(std::uint16_t port) {
    const sockaddr_in address = loopback(port);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  }
  void connect_to(std::uint16_t port) {
    const sockaddr_in address = loopback(port);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  }
  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  void patience(std::chrono::microseconds time) {
    const timeval value{.tv_sec = time.count() / 1'000'000, .tv_usec = time.count() % 1'000'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// What one call has received.
class Inbox {
 public:
  struct Run {
    const char* bytes;
    std::size_t size;
    std::size_t packet_size;
    sockaddr_in from;
    std::size_t packets() const { return size <= packet_size ? 1 : (size - 1) / packet_size + 1; }
  };

  Inbox() : memory_(kSlotBytes * kMessages) {}

  /// Runs that came; 0: none in time.
  std::size_t receive(const Socket& socket) {
    for (std::size_t i = 0; i < kMessages; ++i) {
      vectors_[i] = {.iov_base = memory_.data() + i * kSlotBytes, .iov_len = kSlotBytes};
      messages_[i].msg_hdr = {.msg_name = &senders_[i],
                              .msg_namelen = sizeof senders_[i],
                              .msg_iov = &vectors_[i],
                              .msg_iovlen = 1,
                              .msg_control = controls_[i].bytes,
                              .msg_controllen = sizeof controls_[i].bytes,
                              .msg_flags = 0};
    }
    const int count = recvmmsg(socket.fd(), messages_.data(), kMessages, MSG_WAITFORONE, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  Run run(std::size_t index) {
    mmsghdr& message = messages_[index];
    std::size_t packet_size = std::max<std::size_t>(message.msg_len, 1);
    for (cmsghdr* c = CMSG_FIRSTHDR(&message.msg_hdr); c != nullptr; c = CMSG_NXTHDR(&message.msg_hdr, c)) {
      if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      packet_size = static_cast<std::size_t>(size);
    }
    return {memory_.data() + index * kSlotBytes, message.msg_len, packet_size, senders_[index]};
  }

 private:
  struct alignas(cmsghdr) Control {
    char bytes[64];
  };
  std::vector<char> memory_;
  std::array<mmsghdr, kMessages> messages_{};
  std::array<iovec, kMessages> vectors_{};
  std::array<sockaddr_in, kMessages> senders_{};
  std::array<Control, kMessages> controls_{};
};

/// What came of a flood.
struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t misshapen = 0;  ///< not of the size of the first
  std::uint64_t size = 0;
  Clock::time_point first{};
  Clock::time_point last{};

  void add(const Inbox::Run& run, Clock::time_point now) {
    if (packets == 0) {
      first = now;
      size = run.packet_size;
    }
    last = now;
    packets += run.packets();
    bytes += run.size;
    if (run.packet_size != size || run.size % size != 0) ++misshapen;
  }
};

/// What is to be sent, and how fast.
struct Flood {
  std::uint64_t bytes;  ///< of a payload
  double bits_per_second;
  double seconds;
  std::uint64_t run;  ///< packets that are handed over in one piece; 1: each by itself, many in one call

  std::uint64_t send(const Socket& socket, const sockaddr_in* to) const;
};

std::uint64_t Flood::send(const Socket& socket, const sockaddr_in* to) const {
  const std::uint64_t per_message = std::clamp<std::uint64_t>(run, 1, std::min<std::uint64_t>(64, 65'507 / bytes));
  const std::uint64_t messages_max = run == 1 ? kMessages : 1;
  std::vector<char> memory(per_message * bytes, Kind::counted);
  iovec vector{.iov_base = memory.data(), .iov_len = memory.size()};
  struct alignas(cmsghdr) {
    char bytes[CMSG_SPACE(sizeof(std::uint16_t))];
  } control{};
  msghdr header{};
  header.msg_name = const_cast<sockaddr_in*>(to);
  header.msg_namelen = to != nullptr ? sizeof *to : 0;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  if (per_message > 1) {
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    cmsghdr* const c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(bytes);
    std::memcpy(CMSG_DATA(c), &segment, sizeof segment);
  }
  std::array<mmsghdr, kMessages> messages{};
  for (mmsghdr& message : messages) message.msg_hdr = header;

  const double packets_per_second = bits_per_second / 8 / static_cast<double>(bytes);
  const auto begin = Clock::now();
  std::uint64_t sent = 0;
  for (;;) {
    const double elapsed = seconds_between(begin, Clock::now());
    if (elapsed >= seconds) return sent;
    const auto due = static_cast<std::uint64_t>(elapsed * packets_per_second);
    if (due < sent + per_message) {
      std::this_thread::sleep_for(200us);
      continue;
    }
    const std::uint64_t count = std::min(messages_max, (due - sent) / per_message);
    const int taken = sendmmsg(socket.fd(), messages.data(), static_cast<unsigned>(count), 0);
    if (taken < 0 && errno != ENOBUFS && errno != ECONNREFUSED) fail("sendmmsg");
    sent += count * per_message;  // what the kernel did not take is lost, as anywhere behind it
  }
}

// --- the service --------------------------------------------------------------------------------------------------------

int service() {
  Socket socket;
  socket.bind_to(0);
  std::printf("port %u\n", socket.port());
  std::fflush(stdout);
  std::jthread until_input_ends([] {
    while (std::getchar() != EOF) {
    }
    std::_Exit(0);
  });
  Inbox inbox;
  Tally tally;
  std::atomic<std::uint64_t> sent = 0;
  for (;;) {
    const std::size_t count = inbox.receive(socket);
    const auto now = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      const Inbox::Run run = inbox.run(i);
      const auto reply = [&](const void* data, std::size_t size) {
        sendto(socket.fd(), data, size, 0, reinterpret_cast<const sockaddr*>(&run.from), sizeof run.from);
      };
      switch (run.size > 0 ? run.bytes[0] : 0) {
        case Kind::counted:
          tally.add(run, now);
          break;
        case Kind::echo:
          reply(run.bytes, run.size);
          break;
        case Kind::ask:
          reply(&tally, sizeof tally);
          break;
        case Kind::forget:
          tally = {};
          reply(run.bytes, run.size);
          break;
        case Kind::send: {
          Flood flood;
          if (run.size != 1 + sizeof flood) break;
          std::memcpy(&flood, run.bytes + 1, sizeof flood);
          std::thread([&, flood, to = run.from] { sent = flood.send(socket, &to); }).detach();
          break;
        }
        case Kind::ask_sent: {
          const std::uint64_t number = sent;
          reply(&number, sizeof number);
          break;
        }
        default:
          break;
      }
    }
  }
}

// --- visitors -----------------------------------------------------------------------------------------------------------

/// Asks until an answer of that size comes.
void ask(Socket& socket, const void* question, std::size_t size, void* answer, std::size_t answer_size) {
  socket.patience(kQuiet);
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    if (send(socket.fd(), question, size, 0) < 0 && errno != ECONNREFUSED) fail("send");
    if (recv(socket.fd(), answer, answer_size, 0) == static_cast<ssize_t>(answer_size)) return;
  }
  throw std::runtime_error("no answer");
}

void print(std::uint64_t sent, const Tally& tally, double seconds) {
  std::printf("{\"sent\": %llu, \"received\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"misshapen\": %llu}\n",
              static_cast<unsigned long long>(sent), static_cast<unsigned long long>(tally.packets),
              static_cast<unsigned long long>(tally.bytes), seconds, static_cast<unsigned long long>(tally.misshapen));
}

int up(std::uint16_t port, std::uint16_t service_port, const Flood& flood) {
  Socket side;
  side.connect_to(service_port);
  char byte = Kind::forget;
  ask(side, &byte, 1, &byte, 1);
  Socket visitor;
  visitor.connect_to(port);
  const std::uint64_t sent = flood.send(visitor, nullptr);
  Tally tally;
  for (std::uint64_t before = ~std::uint64_t{0}; before != tally.packets;) {
    before = tally.packets;
    std::this_thread::sleep_for(kQuiet);
    byte = Kind::ask;
    ask(side, &byte, 1, &tally, sizeof tally);
  }
  print(sent, tally, std::max(seconds_between(tally.first, tally.last), flood.seconds / 2));
  return 0;
}

int down(std::uint16_t port, std::uint16_t service_port, const Flood& flood) {
  Socket visitor;
  visitor.connect_to(port);
  std::array<char, 1 + sizeof flood> request{Kind::send};
  std::memcpy(request.data() + 1, &flood, sizeof flood);
  if (send(visitor.fd(), request.data(), request.size(), 0) < 0) fail("send");
  visitor.patience(kQuiet);
  Inbox inbox;
  Tally tally;
  const auto begin = Clock::now();
  for (;;) {
    const std::size_t count = inbox.receive(visitor);
    const auto now = Clock::now();
    for (std::size_t i = 0; i < count; ++i) tally.add(inbox.run(i), now);
    if (count == 0 && seconds_between(begin, now) > flood.seconds) break;
  }
  Socket side;
  side.connect_to(service_port);
  const char question = Kind::ask_sent;
  std::uint64_t sent = 0;
  ask(side, &question, 1, &sent, sizeof sent);
  print(sent, tally, std::max(seconds_between(tally.first, tally.last), flood.seconds / 2));
  return 0;
}

int latency(std::uint16_t port, std::size_t count) {
  Socket visitor;
  visitor.connect_to(port);
  std::array<char, kEchoBytes> message{Kind::echo};
  for (std::size_t i = 0; i < count / 10 + 1; ++i) {
    ask(visitor, message.data(), message.size(), message.data(), message.size());
  }
  std::vector<double> microseconds(count);
  for (double& time : microseconds) {
    const auto begin = Clock::now();
    ask(visitor, message.data(), message.size(), message.data(), message.size());
    time = seconds_between(begin, Clock::now()) * 1e6;
  }
  std::ranges::sort(microseconds);
  std::printf("{\"p50_us\": %.2f, \"p99_us\": %.2f}\n", microseconds[count / 2], microseconds[count * 99 / 100]);
  return 0;
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto number = [&](std::size_t i) { return std::strtoull(arguments.at(i).c_str(), nullptr, 10); };
  const auto port = [&](std::size_t i) { return static_cast<std::uint16_t>(number(i)); };
  const auto flood = [&](std::size_t i) {
    return Flood{.bytes = number(i),
                 .bits_per_second = static_cast<double>(number(i + 1)) * 1e6,
                 .seconds = std::strtod(arguments.at(i + 2).c_str(), nullptr),
                 .run = number(i + 3)};
  };
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "service") return service();
  if (what == "up" && arguments.size() == 7) return up(port(1), port(2), flood(3));
  if (what == "down" && arguments.size() == 7) return down(port(1), port(2), flood(3));
  if (what == "latency" && arguments.size() == 3) return latency(port(1), number(2));
  std::fputs(
      "usage: udp_load service | up PORT SERVICE_PORT BYTES MBIT SECONDS RUN | down PORT SERVICE_PORT BYTES MBIT"
      " SECONDS RUN | latency PORT COUNT\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "udp_load: %s\n", error.what());
    return 1;
  }
}

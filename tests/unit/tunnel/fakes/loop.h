// SPDX-License-Identifier: MIT
//
// An event loop whose clock, look-ups and connections are the test's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/io/event_loop.h"
#include "tunnel/fakes/socket.h"

namespace qmux::testing {

class FakeLoop final : public io::EventLoop {
 public:
  // --- for the test ---

  /// Lets time pass and runs what is due by then, each thing at its time.
  void advance(Duration by) {
    const Time end = now_ + by;
    while (timers_.next() <= end) {
      now_ = std::max(now_, timers_.next());
      timers_.expire(now_);
    }
    now_ = end;
  }

  std::map<std::string, std::vector<Address>> names;  ///< what can be resolved
  std::map<std::string, std::string> unreachable;     ///< address: why connect_tcp() fails at once
  std::map<std::string, FarEnd> far_ends;             ///< by address; connecting ones are made here
  std::vector<std::string> attempts;                  ///< addresses connected to, in order
  int lookups_under_way = 0;

  /// Ends the look-up that waits.
  void answer_lookup() {
    auto [host, done] = std::exchange(lookup_, {});
    const auto found = names.find(host);
    if (found == names.end()) {
      done(fail("no such host", host));
    } else {
      done(found->second);
    }
  }

  // --- io::EventLoop ---

  [[nodiscard]] Time now() const noexcept override { return now_; }
  [[nodiscard]] std::int64_t unix_seconds() const noexcept override { return 0; }
  [[nodiscard]] Random& random() noexcept override { return random_; }
  [[nodiscard]] TimerQueue& timers() noexcept override { return timers_; }
  void set_pass_events(PassEvents* /*observer*/) noexcept override {}
  void request_pass() noexcept override {}
  void wake() noexcept override {}
  void set_wake_handler(std::move_only_function<void()> /*handler*/) override {}
  void set_network_events(NetworkEvents* /*events*/) override {}
  Result<std::unique_ptr<io::DatagramSocket>> open_datagram(const io::DatagramOptions& /*options*/,
                                                            io::DatagramSocket::Events& /*observer*/) override {
    return fail("no datagrams here");
  }
  Result<std::unique_ptr<io::TcpListener>> listen_tcp(const Address& /*local*/, bool /*shared_port*/,
                                                      io::TcpListener::Events& /*observer*/) override {
    return fail("no listeners here");
  }
  Result<std::unique_ptr<io::TcpSocket>> connect_tcp(const Address& remote) override {
    attempts.push_back(remote.text());
    const auto why = unreachable.find(remote.text());
    if (why != unreachable.end()) return fail(why->second, remote.text());
    FarEnd& far = far_ends[remote.text()];
    far.connecting = true;
    return std::make_unique<FakeSocket>(far);
  }
  std::unique_ptr<io::TcpSocket> adopt_tcp(io::TcpHandle /*handle*/) override { return nullptr; }
  std::unique_ptr<io::Resolution> resolve(const HostPort& host, Resolved done) override {
    lookup_ = {host.host, std::move(done)};
    return std::make_unique<Lookup>(*this);
  }

 private:
  struct Lookup final : io::Resolution {
    explicit Lookup(FakeLoop& loop) : loop_(loop) { ++loop_.lookups_under_way; }
    ~Lookup() override { --loop_.lookups_under_way; }
    FakeLoop& loop_;
  };
  struct Zeroes final : Random {
    void fill(MutableBytes into) noexcept override { std::ranges::fill(into, std::byte{0}); }
  };

  Time now_{std::chrono::hours(1)};
  Zeroes random_;
  TimerQueue timers_;
  std::pair<std::string, Resolved> lookup_;
};

}  // namespace qmux::testing

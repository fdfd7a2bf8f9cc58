// SPDX-License-Identifier: MIT
//
// The io::EventLoop of a virtual host. A pass begins when something has become ready, a timer is due, or a pass was asked
// for, after a seeded delay that stands for the scheduler and for work: so loops interleave in many ways, and the same way
// for the same seed. A pass itself takes no time.
//
// All loops share one thread; wake() may be called from any other loop's pass. A loop outlives everything opened on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "sim/world/datagram_socket.h"
#include "sim/world/ready.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

class Host;

class SimLoop final : public io::EventLoop {
 public:
  /// `name` names the loop's stream of randomness.
  SimLoop(Host& host, std::string name);
  ~SimLoop() override;

  [[nodiscard]] Time now() const noexcept override { return now_; }
  [[nodiscard]] std::int64_t unix_seconds() const noexcept override;
  [[nodiscard]] Random& random() noexcept override { return random_; }
  [[nodiscard]] TimerQueue& timers() noexcept override { return timers_; }

  void set_pass_events(PassEvents* events) noexcept override { pass_events_ = events; }
  void request_pass() noexcept override;
  void wake() noexcept override;
  void set_wake_handler(std::move_only_function<void()> handler) override { wake_handler_ = std::move(handler); }
  void set_network_events(NetworkEvents* events) override { network_events_ = events; }
  /// Its host's addresses have changed.
  void note_network_change();

  [[nodiscard]] Result<std::unique_ptr<io::DatagramSocket>> open_datagram(const io::DatagramOptions& options,
                                                                          io::DatagramSocket::Events& events) override;
  [[nodiscard]] Result<std::unique_ptr<io::TcpListener>> listen_tcp(const Address& local, bool shared_port,
                                                                    io::TcpListener::Events& events) override;
  [[nodiscard]] Result<std::unique_ptr<io::TcpSocket>> connect_tcp(const Address& remote) override;
  [[nodiscard]] std::unique_ptr<io::TcpSocket> adopt_tcp(io::TcpHandle handle) override;
  [[nodiscard]] std::unique_ptr<io::Resolution> resolve(const HostPort& host, Resolved done) override;

  [[nodiscard]] Host& host() noexcept { return host_; }
  [[nodiscard]] std::uint64_t pass_count() const noexcept { return pass_count_; }
  /// A frozen loop runs no pass, as a process that gets no processor. Its kernel goes on: sockets receive and acknowledge.
  void set_frozen(bool frozen);
  /// Delays between readiness and pass are uniform in [0, this].
  void set_processing_time_max(Duration delay) noexcept { processing_time_max_ = delay; }

 private:
  friend class World;

  void plan_pass(Time at);
  void plan_pass_soon();
  void plan_pass_for_timers();
  void pass();

  Host& host_;
  SeededRandom random_;    ///< handed to the program
  SeededRandom schedule_;  ///< the simulator's own
  Duration processing_time_max_ = std::chrono::microseconds(50);
  Time now_;
  TimerQueue timers_;
  ReadyQueue ready_;
  SimDatagramSocket::Lent lent_;
  Timer pass_timer_;  ///< in the world's queue
  PassEvents* pass_events_ = nullptr;
  std::move_only_function<void()> wake_handler_;
  NetworkEvents* network_events_ = nullptr;
  bool network_changed_ = false;
  bool woken_ = false;
  bool frozen_ = false;
  std::uint64_t pass_count_ = 0;
};

}  // namespace qmux::sim

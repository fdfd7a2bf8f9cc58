// SPDX-License-Identifier: MIT
//
// A client's link to one server, for as long as the client serves it: resolve -> connect -> register -> serve. The addresses of
// the server's name race (AddressRace). After a round without success it retries at once, then with growing delays. When the
// server is to stop, its visitors go on over the connection, while another connection is sought.
//
// Once it is to end (drain()), it makes no new connection, lets the visitors that it has go on for a while, and closes.
//
// Owned by the client's worker; one thread. Its endpoints change only from timers and resolutions and in forget_finished(), never
// while endpoints are processed at the end of a pass.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "quic/endpoint.h"
#include "tunnel/client/address_race.h"
#include "tunnel/client/backoff.h"
#include "tunnel/client/client_session.h"
#include "tunnel/client/known_addresses.h"
#include "tunnel/client/link_sessions.h"
#include "tunnel/client/ready_notice.h"
#include "tunnel/options.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerLink final : public ClientSessionEvents {
 public:
  /// `options` outlives it. `address`: this one of the server's name alone; unspecified: any of them. `slot` is the Slot of
  /// Register: with `instance` it identifies the connection, so no other link of the process has or had it.
  ServerLink(WorkerState& worker, ReadyNotice& ready, const ClientOptions& options, std::string instance,
             ServerEntry server, const Address& address, std::uint32_t slot);
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;
  ~ServerLink();

  /// Begins; the first attempt is made in the loop's next pass.
  void start();
  /// The client's options have other values now: waits for no other attempt, which would be made with them. What is connected
  /// stays connected.
  void options_changed();
  /// This machine has been asleep: connections that cannot have outlived that end, the others are checked, and an attempt that
  /// waits is made at once.
  void machine_woke(Duration asleep);
  /// This machine's network may have changed: connections move to another source address, and an attempt that could not leave the
  /// machine is made again.
  void network_changed();

  /// Ends in order: makes no new connection, and asks the server to send no more visitors. Once the last one has been served, or
  /// after `timeout`, it closes its connections, within limits::kStopTimeMax. Called again, it may only end sooner.
  void drain(Duration timeout, const std::string& reason);
  [[nodiscard]] bool is_leaving() const noexcept { return phase_ != Phase::serving; }
  [[nodiscard]] std::size_t tunnel_count() const noexcept;
  /// At the end of a pass after drain(): everything has been sent, and a server that we were registered with has received it.
  [[nodiscard]] bool stopped() const noexcept;

  [[nodiscard]] const ServerEntry& server() const noexcept { return server_; }
  /// Unspecified: any of the server's name.
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] bool is_registered() const noexcept;
  /// For the end of a pass: the endpoints in use, and those whose connections are still closing.
  [[nodiscard]] const std::vector<std::unique_ptr<quic::Endpoint>>& endpoints() const noexcept {
    return sessions_.endpoints();
  }
  void forget_finished() { sessions_.forget_finished(); }

 private:
  using Role = LinkSessions::Role;

  // ClientSessionEvents
  void session_established(ClientSession& session) override;
  void session_registered(ClientSession& session) override;
  void server_drains(ClientSession& session) override;
  void server_silent(ClientSession& session) override;
  void session_ended(ClientSession& session, const SessionEnd& end) override;

  /// Here: no packet left this machine, because it has no network or the name cannot be looked up.
  enum class Where { here, there };

  void next_step();
  [[nodiscard]] std::vector<log::Field> server_fields() const;
  /// Logs the first attempt, so that the log shows what the client is doing before anything fails.
  void announce();
  void announce_delay();
  void resolved(Result<std::vector<Address>> addresses);
  /// Those that are due.
  void try_addresses();
  void connect(const Address& remote);
  /// Unspecified: there is none. Others of the round follow, or another round after a wait.
  void address_failed(const Address& remote, const SessionEnd& why, Where where);
  /// Between two rounds: short while a server that has announced its stop is expected to be back soon.
  [[nodiscard]] Duration longest_wait() const;
  [[nodiscard]] Duration random_wait(Duration time_max) const;
  /// `retry_in`: until the next round; nothing: other addresses of this round follow.
  void log_failure(std::string_view event, const Address& remote, const SessionEnd& why,
                   std::optional<Duration> retry_in) const;

  /// The next round begins now, if one is waited for.
  void wait_no_longer();

  // The end (server_link_drain.cpp)
  void look_for_end();
  void close();
  void next_step_of_end();

  WorkerState& worker_;
  ReadyNotice& ready_;
  const ClientOptions& options_;
  const std::string instance_;
  const ServerEntry server_;
  const Address address_;
  const std::uint32_t slot_;
  std::uint64_t epoch_ = 0;
  Backoff backoff_;
  Timer next_step_;
  Timer slow_;  ///< set during the first round
  std::unique_ptr<io::Resolution> resolution_;
  AddressRace race_;
  LinkSessions sessions_;
  Time registered_at_{};
  KnownAddresses known_;
  Time restart_expected_until_ = Time::min();
  bool failed_here_ = false;  ///< no attempt of the round could leave this machine
  bool announced_ = false;    ///< since the server was connected last

  /// flushing: it has given visitors back to the server, and the server is to hear of that before the connection closes.
  enum class Phase : std::uint8_t { serving, draining, flushing, closing, stopped };
  Phase phase_ = Phase::serving;
  Time drain_end_ = kNever;
  Timer end_step_;
  std::string end_reason_;
  bool close_awaited_ = false;
};

}  // namespace qmux::tunnel

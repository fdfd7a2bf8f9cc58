// SPDX-License-Identifier: MIT
//
// A client's link to one server, for as long as the client runs: resolve -> connect -> register -> serve. After a failure it
// retries at once, then with growing delays. When the server is to stop, its visitors go on over the connection, while another
// connection is sought.
//
// Owned by the client's worker; one thread. Its endpoints change only from timers and resolutions and in forget_finished(), never
// while endpoints are processed at the end of a pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quic/endpoint.h"
#include "tunnel/client/backoff.h"
#include "tunnel/client/client_session.h"
#include "tunnel/client/ready_notice.h"
#include "tunnel/options.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerLink final : public ClientSessionEvents {
 public:
  /// `options` outlives it. `server_index` is the position of this server in `options`, and the Slot of Register: with `instance`
  /// it identifies the connection.
  ServerLink(WorkerState& worker, ReadyNotice& ready, const ClientOptions& options, std::string instance,
             std::uint32_t server_index);
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;
  ~ServerLink();

  /// Begins; the first attempt is made in the loop's next pass.
  void start();
  /// This machine's network may have changed: connections move to another source address, and an attempt that could not leave the
  /// machine is made again.
  void network_changed();
  /// Makes no new connection, and asks the server to send no more visitors.
  void drain();
  [[nodiscard]] std::size_t tunnel_count() const noexcept;
  /// After drain(): no connection is needed any more.
  [[nodiscard]] bool is_drained() const noexcept;
  /// Gives visitors whose service has not been reached back to the server, which is notified in this pass. True: there were some.
  bool return_visitors();
  /// Closes the connection in order.
  void stop();
  /// After stop() and the end of its pass: everything has been sent, and a server that we were registered with has received it.
  [[nodiscard]] bool stopped() const noexcept;

  [[nodiscard]] bool is_registered() const noexcept { return current_.session && current_.session->is_registered(); }
  /// For the end of a pass: the endpoint in use, and those whose connections are still closing.
  [[nodiscard]] const std::vector<std::unique_ptr<quic::Endpoint>>& endpoints() const noexcept { return endpoints_; }
  void forget_finished();

 private:
  // ClientSessionEvents
  void session_registered() override;
  void server_drains(ClientSession& session) override;
  void session_ended(ClientSession& session, const SessionEnd& end) override;

  /// Here: no packet left this machine, because it has no network or the name cannot be looked up.
  enum class Where { here, there };

  template <typename Function>
  void each_session(Function function) const;
  [[nodiscard]] bool owns(const quic::Endpoint* endpoint) const noexcept;
  void attempt();
  /// Logs the first attempt, so that the log shows what the client is doing before anything fails.
  void announce();
  void announce_delay();
  void resolved(Result<std::vector<Address>> addresses);
  void connect_next();
  /// Between two attempts: short while a server that has announced its stop is expected to be back soon.
  [[nodiscard]] Duration longest_wait() const;
  [[nodiscard]] Duration random_wait(Duration time_max) const;
  /// Another address, or another round after a wait.
  void failed(const SessionEnd& why, Where where);
  void log_failure(std::string_view event, const SessionEnd& why, Duration retry_in) const;

  WorkerState& worker_;
  ReadyNotice& ready_;
  const ClientOptions& options_;
  const ServerEntry& server_;
  const std::string instance_;
  const std::uint32_t server_index_;
  std::uint64_t epoch_ = 0;
  Backoff backoff_;
  Timer next_step_;
  Timer slow_;  ///< set during the first attempt
  std::unique_ptr<io::Resolution> resolution_;
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  Address remote_;  ///< of the connection; unspecified before there is one
  Time registered_at_{};
  std::vector<std::byte> address_token_;  ///< address validation token (RFC 9000 section 8.1.3) ...
  Address address_token_from_;            ///< ... and the server's address that gave it
  /// One for each session, and those whose connections are still closing.
  std::vector<std::unique_ptr<quic::Endpoint>> endpoints_;
  /// A session and its endpoint.
  struct Serving {
    std::unique_ptr<ClientSession> session;
    quic::Endpoint* endpoint = nullptr;
  };
  Serving current_;
  std::vector<Serving> leaving_;  ///< of servers that are to stop; the oldest first
  Time restart_expected_until_ = Time::min();
  bool failed_here_ = false;  ///< the last attempt: it could not leave this machine
  bool announced_ = false;    ///< since the server was connected last
  bool stopping_ = false;
  bool close_awaited_ = false;
};

}  // namespace qmux::tunnel
